"""What people read for the codes that stand in rows, in both languages.

Zones, levels, grades, verdicts and kinds of links are in `wire.vocabulary`; an unknown code is shown as is.
"""

from collections.abc import Mapping

from wire.vocabulary import LEVELS, LINK_KINDS, VERDICTS, ZONES, Name

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
    "not_yet": Name("尚未触发", "not yet triggered"),
    "cannot_compute": Name("无法计算", "cannot be computed"),
    "no_number": Name("及时报告(法规未定时限)", "promptly (no number in law)"),
    "withdrawn": Name("已撤销", "withdrawn"),
}
FILING_STATES: Mapping[str, Name] = {
    "waiting": Name("待发送", "waiting"),
    "sending": Name("发送中", "sending"),
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
STEP_KINDS: Mapping[str, Name] = {
    "notify": Name("通知", "notify"),
    "manual": Name("人工", "manual"),
    "approve": Name("审批", "approve"),
    "http_request": Name("接口调用", "HTTP request"),
    "order_agent": Name("代理指令", "order to agent"),
    "file_report": Name("报送", "file report"),
    "wait": Name("等待", "wait"),
    "parallel": Name("并行", "parallel"),
    "if-condition": Name("条件", "condition"),
    "while-condition": Name("循环", "loop"),
    "switch-condition": Name("分支", "switch"),
    "playbook-action": Name("子预案", "plan within the plan"),
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
}
NODE_KINDS: Mapping[str, Name] = {
    "agent": Name("主机代理", "agent"),
    "collector": Name("下级采集器", "collector below"),
}
ROLES: Mapping[str, Name] = {
    "duty": Name("值班员", "duty officer"),
    "leader": Name("负责人", "leader"),
    "superior": Name("上级", "superior"),
    "admin": Name("管理员", "administrator"),
    "viewer": Name("只读用户", "viewer"),
    "system": Name("系统", "system"),
}
ACTIONS: Mapping[str, Name] = {
    "node.enrolled": Name("节点入网", "node enrolled"),
    "node.revoked": Name("节点吊销", "node revoked"),
    "node.fact": Name("节点上报事实", "node reported a fact"),
    "incident.opened": Name("事件生成", "incident opened"),
    "incident.attached": Name("同类上报并入", "more reports attached"),
    "incident.graded": Name("事件定级", "incident graded"),
    "incident.moved": Name("事件状态变更", "incident moved"),
    "clock.opened": Name("时限开始", "clock opened"),
    "clock.moved": Name("时限提前", "clock moved"),
    "clock.fired": Name("时限提醒", "clock fired"),
    "clock.met": Name("报告义务完成", "obligation met"),
    "notice.queued": Name("通知入队", "notice queued"),
    "notice.sent": Name("通知已送达", "notice sent"),
    "notice.failed": Name("通知失败", "notice failed"),
    "run.started": Name("预案启动", "plan started"),
    "run.step": Name("预案步骤", "plan step"),
    "run.ended": Name("预案结束", "plan ended"),
    "order.issued": Name("指令下发", "order issued"),
    "order.ended": Name("指令结束", "order ended"),
    "filing.queued": Name("报送入队", "filing queued"),
    "filing.sent": Name("报送已发出", "filing sent"),
    "filing.receipted": Name("收到回执", "receipt received"),
    "filing.received": Name("收到下级报送", "filing received from below"),
    "audit.finding": Name("审计发现", "audit finding"),
    "registry.loaded": Name("登记表已加载", "register loaded"),
    "token.created": Name("令牌已创建", "token created"),
    "user.added": Name("用户已添加", "user added"),
    "collector.started": Name("采集器启动", "collector started"),
}
FACTS: Mapping[str, Name] = {
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
}
FINDINGS: Mapping[str, Name] = {
    "grade_differs": Name("自报等级与登记册不一致", "declared grade differs from the register"),
    "filing_number_differs": Name(
        "自报备案号与登记册不一致", "declared filing number differs from the register"
    ),
    "unknown_asset": Name("登记册中没有该系统", "the register has no such asset"),
    "asset_not_enrolled": Name("该系统未随本节点注册", "the node is not enrolled for this asset"),
    "asset": Name("系统", "asset"),
    "declared": Name("自报", "declared"),
    "registered": Name("登记", "registered"),
}
TABLES: Mapping[str, Mapping[str, Name]] = {
    "state": INCIDENT_STATES,
    "move": MOVES,
    "clock": CLOCK_STATES,
    "filing": FILING_STATES,
    "notice": NOTICE_STATES,
    "run": RUN_STATES,
    "step": STEP_STATES,
    "kind": STEP_KINDS,
    "stage": STAGES,
    "recipient": RECIPIENTS,
    "node": NODE_STATES,
    "node_kind": NODE_KINDS,
    "role": ROLES,
    "action": ACTIONS,
    "fact": FACTS,
    "finding": FINDINGS,
    "level": {str(code): name for code, name in LEVELS.items()},
    "zone": {str(code): name for code, name in ZONES.items()},
    "verdict": {str(code): name for code, name in VERDICTS.items()},
    "link": {str(code): name for code, name in LINK_KINDS.items()},
}


def word(table: str, code: str | None, language: str) -> str:
    """Return what people read for a code; the code itself where there is no word for it."""
    name = TABLES[table].get(code or "")
    return name.in_language(language) if name else (code or "")
