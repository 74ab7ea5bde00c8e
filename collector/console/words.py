"""What people read for the codes that stand in rows, in both languages.

Zones, levels, grades, verdicts and kinds of links are in `wire.vocabulary`; an unknown code is shown as is.
"""

from collections.abc import Mapping

from wire.vocabulary import LEVELS, LINK_KINDS, ORDER_STATES, ORDERS, VERDICTS, ZONES, Name

from ..desk.answers import KINDS as ANSWERS
from ..desk.answers import OUTCOMES
from ..desk.correcting import NAMES as FACT_NAMES
from .evidence_words import EVIDENCE
from .journal_words import ACTIONS

INCIDENT_STATES: Mapping[str, Name] = {
    "open": Name("待签收", "open"),
    "acknowledged": Name("已签收", "acknowledged"),
    "contained": Name("已控制", "contained"),
    "handled": Name("已处置", "handled"),
    "closed": Name("已关闭", "closed"),
}
MOVES: Mapping[str, Name] = {
    "acknowledged": Name("签收", "Acknowledge"),
    "contained": Name("标记已控制", "Mark contained"),
    "handled": Name("标记已处置", "Mark handled"),
    "closed": Name("关闭事件", "Close"),
}
CLOCK_STATES: Mapping[str, Name] = {
    "open": Name("计时中", "running"),
    "met": Name("已按时完成", "met in time"),
    "met_late": Name("逾期完成", "met late"),
    "overdue": Name("已逾期", "overdue"),
    "doubted": Name("已逾期,待确认", "overdue, to be confirmed"),
    "not_yet": Name("尚未触发", "not yet triggered"),
    "cannot_compute": Name("无法计算", "cannot be computed"),
    "no_number": Name("及时报告(法规未定时限)", "promptly (no number in law)"),
    "withdrawn": Name("已撤销", "withdrawn"),
}
FILING_STATES: Mapping[str, Name] = {
    "waiting": Name("待发送", "waiting"),
    "sending": Name("发送中", "sending"),
    "sent": Name("已发出,待回执", "sent, no receipt yet"),
    "receipted": Name("已回执", "receipted"),
    "refused": Name("被拒收", "refused"),
}
NOTICE_STATES: Mapping[str, Name] = {
    "waiting": Name("待发送", "waiting"),
    "sending": Name("发送中", "sending"),
    "sent": Name("已送达", "sent"),
    "failed": Name("发送失败", "failed"),
    "unknown": Name("结果未知", "result unknown"),
}
RUN_STATES: Mapping[str, Name] = {
    "running": Name("执行中", "running"),
    "paused": Name("已暂停", "paused"),
    "cancelling": Name("撤销处理中", "being taken back"),
    "done": Name("已完成", "done"),
    "failed": Name("失败", "failed"),
    "cancelled": Name("已取消", "cancelled"),
}
STEP_STATES: Mapping[str, Name] = {
    "ready": Name("就绪", "ready"),
    "waiting": Name("等待中", "waiting"),
    "done": Name("完成", "done"),
    "failed": Name("失败", "failed"),
    "skipped": Name("跳过", "skipped"),
    "cancelled": Name("取消", "cancelled"),
}
CHOICES: Mapping[str, Name] = {
    "true": Name("成立", "it holds"),
    "false": Name("不成立", "it does not hold"),
    "default": Name("其他", "none of them"),
    "undo": Name("撤销该步骤", "take it back"),
    "leave": Name("保持现状", "leave it as it is"),
}
CAUSES: Mapping[str, Name] = {
    "hint": Name("按检测提示启动", "started by what detected it"),
    "class": Name("按事件类别启动", "started by the incident's class"),
    "hand": Name("人工启动", "started by hand"),
    "warning": Name("按预警启动", "started by a warning"),
}
OUTS: Mapping[str, Name] = {
    "decision": Name("决定", "decision"),
    "by": Name("由", "by"),
    "comments": Name("意见", "comments"),
    "comment": Name("意见", "comment"),
    "incident": Name("事件级别", "level of the incident"),
    "from": Name("原级别", "from level"),
    "to": Name("现级别", "to level"),
}
WHYS: Mapping[str, Name] = {
    "late": Name("已超时", "overdue"),
    "proposed": Name("建议撤销，待决定", "proposed to take back what was done"),
}
STEP_KINDS: Mapping[str, Name] = {
    "notify": Name("通知", "notify"),
    "manual": Name("人工", "manual"),
    "approve": Name("审批", "approve"),
    "http_request": Name("接口调用", "HTTP request"),
    "order_agent": Name("探针指令", "order to agent"),
    "file_report": Name("报送", "file report"),
    "wait": Name("等待", "wait"),
    "parallel": Name("并行", "parallel"),
    "if-condition": Name("条件", "condition"),
    "while-condition": Name("循环", "loop"),
    "switch-condition": Name("分支", "switch"),
    "playbook-action": Name("子预案", "plan within the plan"),
    "regrade": Name("响应级别", "response level"),
    "start": Name("开始", "start"),
    "end": Name("结束", "end"),
}
STAGES: Mapping[str, Name] = {
    "first": Name("首报", "first report"),
    "report": Name("事件报告", "report"),
    "supplement": Name("补报", "supplement"),
    "progress": Name("续报", "progress report"),
    "final": Name("总结报告", "final report"),
    "summary": Name("总结报告", "summary report"),
    "crime": Name("涉嫌犯罪报案", "report of a suspected crime"),
    "onward": Name("转报", "onward report"),
}
RECIPIENTS: Mapping[str, Name] = {
    "provincial_cac": Name("省级网信部门", "provincial cyberspace office"),
    "national_cac": Name("国家网信部门", "national cyberspace administration"),
    "own_cac_office": Name("本部门网信工作机构", "own cyberspace office"),
    "cii_protection_department": Name("关基保护工作部门", "CII protection department"),
    "police": Name("公安机关", "public security organs"),
    "informatization_authority": Name("信息化主管部门", "informatization authority"),
    "superior": Name("上级单位", "superior unit"),
}
NODE_STATES: Mapping[str, Name] = {
    "active": Name("在用", "active"),
    "revoked": Name("已吊销", "revoked"),
    "replaced": Name("已被重装主机接替", "replaced by a rebuilt host"),
}
PRESENCES: Mapping[str, Name] = {
    "stopped": Name("探针已停止", "agent stopped"),
    "shutdown": Name("主机关机", "host shut down"),
    "killed": Name("探针被终止", "agent killed"),
    "frozen": Name("探针停滞，主机仍在应答", "agent frozen, its host answers"),
    "network": Name("网络中断或断电", "network lost, or no power"),
    "unknown": Name("原因不明", "reason unknown"),
}
NODE_KINDS: Mapping[str, Name] = {
    "agent": Name("探针", "agent"),
    "collector": Name("下级采集端", "collector below"),
}
ROLES: Mapping[str, Name] = {
    "duty": Name("值班员", "duty officer"),
    "leader": Name("负责人", "leader"),
    "superior": Name("上级", "superior"),
    "admin": Name("管理员", "administrator"),
    "viewer": Name("只读用户", "viewer"),
    "system": Name("系统", "system"),
    "node": Name("节点", "node"),
    "token": Name("令牌", "token"),
    "registry": Name("登记册", "register"),
    "local": Name("本机", "on this host"),
    "anonymous": Name("未登录者", "not signed in"),
}
FACTS: Mapping[str, Name] = {
    "object_importance": Name("事件影响对象重要程度", "importance of what was hit"),
    "business_loss": Name("业务损失程度", "loss of business"),
    "social_harm": Name("社会危害程度", "social harm"),
    "occurred": Name("发生", "occurred"),
    "detected": Name("发现", "detected"),
    "aware": Name("知悉", "aware"),
    "graded": Name("定级", "graded"),
    "contained": Name("控制", "contained"),
    "handled": Name("处置完毕", "handled"),
    "homepage_tampered_since": Name("首页被篡改，自", "home page tampered with since"),
    "homepage_tampered_minutes": Name("首页被篡改(分钟)", "home page tampered with (minutes)"),
    "page_tampered_since": Name("页面被篡改，自", "page tampered with since"),
    "page_tampered_minutes": Name("页面被篡改(分钟)", "page tampered with (minutes)"),
    "portal_down_since": Name("门户中断，自", "portal down since"),
    "portal_down_minutes": Name("门户中断(分钟)", "portal down (minutes)"),
    "crime_suspected": Name("涉嫌犯罪", "crime suspected"),
    "data_threat": Name("数据安全威胁", "threat to data"),
    "people_affected": Name("影响人数", "people affected"),
    "personal_records": Name("涉及个人信息(条)", "personal records"),
    "loss_yuan": Name("直接经济损失(元)", "loss (yuan)"),
    "declared_level": Name("主管部门认定级别", "level declared by an authority"),
    "path": Name("路径", "path"),
    "change": Name("变更", "change"),
    "process": Name("进程", "process"),
    "user": Name("用户", "user"),
    "sha256_before": Name("原 SHA-256", "SHA-256 before"),
    "sha256_after": Name("现 SHA-256", "SHA-256 after"),
    "remote": Name("远端地址", "remote address"),
    "local": Name("本端地址", "local address"),
    "source_address": Name("来源地址", "source address"),
    "target_address": Name("目标地址", "target address"),
    "count": Name("次数", "count"),
    "report": Name("上报编号", "report"),
    "kind": Name("种类", "kind"),
    "source": Name("来源", "source"),
    "observed_at": Name("主机时间", "observed at"),
    "received_at": Name("收到时间", "received at"),
    "clock_ahead_seconds": Name("主机时钟超前（秒）", "host's clock ahead (s)"),
    "class": Name("事件类别", "class"),
    "severity_hint": Name("严重程度提示", "severity hint"),
    "target": Name("对象", "target"),
    "restored": Name("已恢复", "restored"),
    "items": Name("明细", "items"),
    "items_total": Name("明细总数", "items in all"),
    "home_page": Name("首页", "home page"),
    "since": Name("自", "since"),
    "old": Name("原", "before"),
    "new": Name("现", "now"),
    "size": Name("大小(字节)", "size (bytes)"),
    "owner": Name("所有者", "owner"),
    "mode": Name("权限", "mode"),
    "program": Name("程序", "program"),
    "sha256": Name("SHA-256", "SHA-256"),
    "pid": Name("进程号", "pid"),
    "next_level": Name("下一级别", "next level"),
    "level_by": Name("定级依据", "level by"),
    "at": Name("时间", "at"),
    "region": Name("地区", "region"),
    "sector": Name("行业", "sector"),
    "timezone": Name("时区", "time zone"),
    "name_en": Name("英文名称", "name, en"),
    "drill": Name("演练", "drill"),
    "version": Name("版本", "version"),
    "key": Name("键", "key"),
    "diff": Name("差异", "difference"),
    "name": Name("名称", "name"),
    "unit": Name("单位", "unit"),
    "asset": Name("系统", "asset"),
    "level": Name("级别", "level"),
    "title": Name("标题", "title"),
    "title_en": Name("英文标题", "title, en"),
    "incident": Name("事件", "incident"),
    "incident_id": Name("事件编号", "incident id"),
    "obligation": Name("报告义务", "obligation"),
    "recipient": Name("接收机关", "recipient"),
    "filed_at": Name("报送时间", "filed at"),
    "due_at": Name("法定截止", "due at"),
    "complete": Name("内容完整", "complete"),
    "content": Name("报告内容", "content"),
    "mlps_grade": Name("保护等级", "MLPS grade"),
    "zone": Name("网络区域", "zone"),
    "role": Name("类型", "role"),
    "cii": Name("关键信息基础设施", "CII"),
    "classified": Name("涉密", "classified"),
    "facts": Name("事实", "facts"),
    "times": Name("时间", "times"),
    "reasons": Name("定级理由", "reasons"),
    "verdict_reasons": Name("判定理由", "reasons"),
    "criterion": Name("判据", "criterion"),
    "verified": Name("数值已核对", "figure verified"),
    "state": Name("状态", "state"),
    "first_seen": Name("首次发现", "first seen"),
    "last_seen": Name("最近发现", "last seen"),
}
ALARMS: Mapping[str, Name] = {
    "half": Name("到时前首次提醒", "first warning"),
    "four_fifths": Name("到时前二次提醒", "second warning"),
    "due": Name("到期", "due"),
    "target": Name("到达内部目标", "own target reached"),
    "overdue": Name("逾期提醒", "overdue, reminder"),
    "escalate": Name("升级", "escalation step"),
    "progress": Name("处置进展提醒", "reminder of progress"),
    "regrade": Name("重新定级", "graded anew"),
}
PACK_STATES: Mapping[str, Name] = {
    "arriving": Name("接收中", "arriving"),
    "proved": Name("已核验", "proved"),
    "broken": Name("校验不符", "not what it claims"),
}
MEDIA: Mapping[str, Name] = {
    "phone": Name("电话", "telephone"),
    "web": Name("网页填报", "web form"),
    "fax": Name("传真", "fax"),
    "mail": Name("电子邮件", "e-mail"),
    "letter": Name("书面", "letter"),
    "in_person": Name("当面", "in person"),
}
FINDINGS: Mapping[str, Name] = {
    "grade_differs": Name("自报等级与登记册不一致", "declared grade differs from the register"),
    "filing_number_differs": Name(
        "自报备案号与登记册不一致", "declared filing number differs from the register"
    ),
    "unknown_asset": Name("登记册中没有该系统", "the register has no such asset"),
    "asset_not_enrolled": Name("该系统未随本节点注册", "the node is not enrolled for this asset"),
    "settings_rolled_back": Name("下发设置已由节点自行回退", "the node rolled pushed settings back"),
    "update_refused": Name("探针升级未能安装", "the agent's update could not be installed"),
    "update_rolled_back": Name("探针升级已自动回退", "the agent's update was taken back"),
    "version": Name("版本", "version"),
    "before": Name("在用版本", "in use"),
    "why": Name("原因", "reason"),
    "asset": Name("系统", "asset"),
    "declared": Name("自报", "declared"),
    "registered": Name("登记", "registered"),
}
EVENT_STATES: Mapping[str, Name] = {
    "armed": Name("待注入", "armed"),
    "done": Name("已注入", "injected"),
    "failed": Name("未成功", "failed"),
    "cancelled": Name("已取消", "cancelled"),
}
WATCH: Mapping[str, Name] = {
    "roster_hole": Name("值班表有空缺", "the roster has a hole"),
    "alarm_not_fired": Name("到时提醒未发出", "an alarm that is due has not fired"),
    "clock_not_fired": Name("时限已过而未提醒", "a clock is past due and nobody was told"),
    "notice_without_result": Name("通知没有结果", "a notice has no result"),
    "filing_without_receipt": Name("报送没有回执", "a filing has no receipt"),
    "run_without_progress": Name("预案执行停滞", "a plan's run makes no progress"),
    "alarm_failed": Name("事件的提醒无法处理", "an incident's alarm cannot be handled"),
    "clock_jumped": Name("主机时钟向前跳变", "the host's clock jumped forward"),
    "clock_set_back": Name("主机时钟被调回", "the host's clock was set back"),
    "plans_left_out": Name("有预案未启用", "plans are left out"),
    "calendar_missing": Name("缺少年度工作日历", "a year of the calendar is missing"),
}
TABLES: Mapping[str, Mapping[str, Name]] = {
    "event": EVENT_STATES,
    "watch": WATCH,
    "state": INCIDENT_STATES,
    "move": MOVES,
    "clock": CLOCK_STATES,
    "filing": FILING_STATES,
    "notice": NOTICE_STATES,
    "run": RUN_STATES,
    "choice": CHOICES,
    "cause": CAUSES,
    "out": OUTS,
    "why": WHYS,
    "step": STEP_STATES,
    "kind": STEP_KINDS,
    "stage": STAGES,
    "recipient": RECIPIENTS,
    "node": NODE_STATES,
    "presence": PRESENCES,
    "node_kind": NODE_KINDS,
    "role": ROLES,
    "action": ACTIONS,
    "fact": {**EVIDENCE, **FACTS, **FACT_NAMES},
    "finding": FINDINGS,
    "medium": MEDIA,
    "answer": ANSWERS,
    "outcome": OUTCOMES,
    "alarm": ALARMS,
    "order": {str(code): name for code, name in ORDERS.items()},
    "order_state": {
        "open": Name("待执行", "open"),
        **{str(code): name for code, name in ORDER_STATES.items()},
    },
    "pack": PACK_STATES,
    "level": {str(code): name for code, name in LEVELS.items()},
    "zone": {str(code): name for code, name in ZONES.items()},
    "verdict": {str(code): name for code, name in VERDICTS.items()},
    "link": {str(code): name for code, name in LINK_KINDS.items()},
}


def word(table: str, code: str | None, language: str) -> str:
    """Return what people read for a code; the code itself where there is no word for it."""
    name = TABLES[table].get(code or "")
    return name.in_language(language) if name else (code or "")
