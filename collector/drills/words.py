"""The words of a score sheet."""

from collections.abc import Mapping

from wire.vocabulary import Name

from .score import Result, What

WHATS: Mapping[What, Name] = {
    "acknowledge": Name("确认", "acknowledge"),
    "contain": Name("控制", "contain"),
    "report": Name("报告", "report"),
    "step": Name("步骤", "step"),
}
RESULTS: Mapping[Result, Name] = {
    "in_time": Name("按时", "in time"),
    "late": Name("超时", "late"),
    "missed": Name("未完成", "missed"),
    "pending": Name("进行中", "pending"),
    "no_limit": Name("无时限", "no limit"),
}
EVENTS: Mapping[str, Name] = {
    "incident": Name("新事件", "incident"),
    "facts": Name("新情况", "facts"),
    "absent": Name("人员失联", "absence"),
    "message": Name("来电来函", "message"),
}
SUPERIORS: Mapping[str, Name] = {
    "outside": Name("不参演", "not in the drill"),
    "waiting": Name("待答复", "has not answered"),
    "accepted": Name("参演", "in the drill"),
    "declined": Name("谢绝", "declined"),
}
