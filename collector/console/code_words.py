"""What people read for codes among the values of evidence, by the field they stand in.

A field that is not here is shown as the node told it: a path or a name may read like a code.
"""

from collections.abc import Mapping

from wire.vocabulary import VERDICTS, Name

_SEVERITIES: Mapping[str, Name] = {
    "low": Name("低", "low"),
    "medium": Name("中", "medium"),
    "high": Name("高", "high"),
}
REPORT_KINDS: Mapping[str, Name] = {
    "heartbeat": Name("心跳", "heartbeat"),
    "asset": Name("资产", "asset"),
    "exits": Name("互联网出口", "exits"),
    "sockets": Name("对外连接", "sockets"),
    "incident": Name("事件", "incident"),
    "evidence": Name("证据", "evidence"),
    "gap": Name("缺口", "gap"),
    "any": Name("种类不明", "of any kind"),
}
_CHANGES: Mapping[str, Name] = {
    "created": Name("新建", "created"),
    "modified": Name("修改", "modified"),
    "deleted": Name("删除", "deleted"),
    "removed": Name("被移除", "removed"),
    "replaced": Name("被替换", "replaced"),
    "rewritten": Name("被改写", "rewritten"),
    "cut": Name("被截断", "cut"),
    "account_added": Name("新增账号", "account added"),
    "account_removed": Name("删除账号", "account removed"),
    "uid_zero": Name("用户号变为 0", "uid became 0"),
    "password_empty": Name("口令为空", "password empty"),
    "password_locked": Name("口令已锁定", "password locked"),
    "password_changed": Name("口令已变更", "password changed"),
    "shell_given": Name("获得登录外壳", "was given a shell"),
    "group_joined": Name("加入用户组", "joined a group"),
    "group_left": Name("退出用户组", "left a group"),
    "sudo_rule_added": Name("新增 sudo 规则", "sudo rule added"),
    "sudo_rule_removed": Name("删除 sudo 规则", "sudo rule removed"),
}
_FAULTS: Mapping[str, Name] = {
    "missing": Name("缺失", "missing"),
    "too_old": Name("过旧", "too old"),
    "too_small": Name("过小", "too small"),
    "too_few_copies": Name("副本过少", "too few copies"),
    "no_off_site_copy": Name("没有异地副本", "no copy off site"),
    "restore_never_tested": Name("从未做过恢复演练", "restore never tested"),
    "restore_test_too_old": Name("恢复演练过旧", "test of restore too old"),
    "clock_differs": Name("时钟不一致", "clock differs"),
    "clock_error_too_wide": Name("时钟误差过大", "clock's error too wide"),
    "clock_not_synchronised": Name("时钟未同步", "clock not synchronised"),
    "not_yet_valid": Name("尚未生效", "not yet valid"),
    "expired": Name("已过期", "expired"),
    "expires_soon": Name("即将到期", "expires soon"),
    "fails": Name("反复出错", "fails again and again"),
    "blind": Name("看不到应看的内容", "sees nothing, or not all"),
}
_HOWS: Mapping[str, Name] = {
    "unasked": Name("主动应答", "unasked replies"),
    "known": Name("冒用已登记地址", "took a known address"),
    "turns": Name("轮流占用地址", "the address goes to and fro"),
    "dns": Name("域名查询", "asked of DNS"),
    "tls": Name("TLS 服务器名", "server name of TLS"),
}
_WOULD: Mapping[str, Name] = {
    "stop": Name("结束进程", "stop it"),
    "rescan": Name("重新扫描", "rescan"),
    "apply": Name("采用设置", "apply the settings"),
    "isolate": Name("隔离", "isolate"),
    "release": Name("解除隔离", "release"),
    "block": Name("封禁", "block"),
    "unblock": Name("解封", "unblock"),
    "collect": Name("收集证据", "collect"),
    "renew": Name("更换证书", "renew"),
    "capture": Name("抓取流量", "capture"),
}
CODES: Mapping[str, Mapping[str, Name]] = {
    "severity_hint": _SEVERITIES,
    "kind": REPORT_KINDS,
    "change": _CHANGES,
    "fault": _FAULTS,
    "how": _HOWS,
    "would": _WOULD,
    "pace": {"fast": Name("快速", "fast"), "quick": Name("快速", "quick"), "slow": Name("慢速", "slow")},
    "verdict": {str(code): name for code, name in VERDICTS.items()},
    "state": {
        "trial": Name("试用中", "on trial"),
        "kept": Name("已采用", "kept"),
        "refused": Name("已拒绝", "refused"),
        "failed": Name("失败", "failed"),
        "done": Name("已完成", "done"),
    },
}
