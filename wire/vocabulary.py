"""The codes both sides speak, each with its name in zh and en.

Incident classes are not here: GB/T 20986-2023 is a table and stands in `configs/classes.yaml`.
"""

from typing import Literal, NamedTuple

Zone = Literal["intranet", "extranet", "private", "internet"]
Level = Literal["I", "II", "III", "IV"]
Verdict = Literal["sanctioned", "available", "used", "bridging", "exposed_service", "unknown"]
LinkKind = Literal[
    "loopback",
    "wired",
    "wifi",
    "wwan",
    "usb_tether",
    "ppp",
    "tun",
    "wireguard",
    "bridge",
    "container",
    "virtual",
    "unknown",
]
NodeKind = Literal["agent", "collector"]
OrderKind = Literal[
    "collect_evidence",
    "block_address",
    "unblock_address",
    "isolate_node",
    "release_node",
    "stop_process",
    "snapshot_traffic",
    "rescan",
    "renew_certificate",
    "apply_settings",
]
OrderState = Literal["done", "refused", "failed", "expired"]


class Name(NamedTuple):
    """What people read for a code."""

    zh: str
    en: str

    def in_language(self, language: str) -> str:
        """Return the name in `language`; anything but zh reads English."""
        return self.zh if language == "zh" else self.en


ZONES: dict[Zone, Name] = {
    "intranet": Name("政务内网", "government intranet"),
    "extranet": Name("政务外网", "government extranet"),
    "private": Name("业务专网", "private business network"),
    "internet": Name("互联网", "internet"),
}
LEVELS: dict[Level, Name] = {
    "I": Name("特别重大", "especially grave"),
    "II": Name("重大", "grave"),
    "III": Name("较大", "fairly grave"),
    "IV": Name("一般", "general"),
}
GRADES: dict[int, Name] = {
    1: Name("第一级 自主保护", "grade 1, own discretion"),
    2: Name("第二级 指导保护", "grade 2, guided"),
    3: Name("第三级 监督保护", "grade 3, supervised"),
    4: Name("第四级 强制保护", "grade 4, mandatory"),
    5: Name("第五级 专控保护", "grade 5, exclusively controlled"),
}
VERDICTS: dict[Verdict, Name] = {
    "sanctioned": Name("合规出口", "sanctioned exit"),
    "available": Name("存在违规出口", "unsanctioned exit available"),
    "used": Name("违规外联", "unsanctioned exit used"),
    "bridging": Name("跨网桥接", "two zones joined"),
    "exposed_service": Name("服务暴露", "service exposed"),
    "unknown": Name("待判定", "unknown"),
}
LINK_KINDS: dict[LinkKind, Name] = {
    "loopback": Name("回环", "loopback"),
    "wired": Name("有线", "wired"),
    "wifi": Name("无线局域网", "Wi-Fi"),
    "wwan": Name("移动网络", "mobile network"),
    "usb_tether": Name("USB 共享网络", "USB tethering"),
    "ppp": Name("拨号", "PPP"),
    "tun": Name("隧道", "tunnel"),
    "wireguard": Name("WireGuard 隧道", "WireGuard tunnel"),
    "bridge": Name("网桥", "bridge"),
    "container": Name("容器网络", "container network"),
    "virtual": Name("虚拟网卡", "virtual link"),
    "unknown": Name("未知", "unknown"),
}
ORDERS: dict[OrderKind, Name] = {
    "collect_evidence": Name("取证", "collect evidence"),
    "block_address": Name("封禁地址", "block an address"),
    "unblock_address": Name("解封地址", "unblock an address"),
    "isolate_node": Name("隔离节点", "isolate the node"),
    "release_node": Name("解除隔离", "release the node"),
    "stop_process": Name("结束进程", "stop a process"),
    "snapshot_traffic": Name("抓取流量片段", "snapshot of traffic"),
    "rescan": Name("重新扫描", "rescan"),
    "renew_certificate": Name("更换证书", "renew the certificate"),
    "apply_settings": Name("下发设置", "apply settings"),
}
ORDER_STATES: dict[OrderState, Name] = {
    "done": Name("已完成", "done"),
    "refused": Name("已拒绝", "refused"),
    "failed": Name("失败", "failed"),
    "expired": Name("已过期", "expired"),
}


def rank(level: Level) -> int:
    """Order levels by gravity: IV is 1, I is 4.

    >>> max(["III", "I", "IV"], key=rank)
    'I'
    """
    return {"IV": 1, "III": 2, "II": 3, "I": 4}[level]
