"""Why a verdict: codes with what people read, in zh and en."""

from typing import Any

from msgspec import Struct

from wire.vocabulary import Name

REASONS: dict[str, Name] = {
    "reached_beacon": Name(
        "经此链路到达信标 {beacon}，外部看到的地址为 {seen}",
        "the beacon {beacon} was reached by it and saw the address {seen}",
    ),
    "egress_not_registered": Name(
        "外部看到的地址 {seen} 不属于登记出口 {exit}",
        "the outside sees the address {seen}, which is none of the registered exit {exit}",
    ),
    "gateway_answers": Name("下一跳有应答，硬件地址 {mac}", "the next hop answers, hardware address {mac}"),
    "gateway_for_others": Name(
        "{count} 台其他主机经本机上网，如 {source}",
        "{count} other hosts go outside through this one, such as {source}",
    ),
    "translates": Name(
        "防火墙规则让他人以本机地址外出（{action}）",
        "a firewall rule lets others out under this host's address ({action})",
    ),
    "mail_outside": Name(
        "{count} 个连接通往外部邮件服务器，如 {remote}",
        "{count} connections go to mail servers outside, such as {remote}",
    ),
    "mail_relay_outside": Name("邮件经外部服务器 {relay} 发送", "mail is sent by {relay}, a server outside"),
    "mail_exchange_outside": Name(
        "{domain} 的邮件由外部服务器 {exchange}（{address}）接收",
        "letters to {domain} are taken by {exchange} ({address}), a server outside",
    ),
    "webmail_asked": Name(
        "查询过公共邮箱域名 {name} {count} 次，是否使用不明",
        "the name {name} of public webmail was asked for {count} times; whether it was used is not known",
    ),
    "webmail_used": Name(
        "使用公共邮箱 {name}，连接到其地址 {remote}",
        "public webmail {name} is used: connections go to {remote}, its address",
    ),
    "webmail_greeted": Name(
        "使用公共邮箱 {name}：以此名称与 {remote} 建立 TLS 连接",
        "public webmail {name} is used: a TLS connection by that name went to {remote}",
    ),
    "mail_relay_by_name": Name(
        "邮件经 {relay} 发送，仅凭名称无法判断其内外",
        "mail is sent by {relay}; its name does not tell whether it is outside",
    ),
    "registered_exit": Name(
        "下一跳 {hop} 属于登记出口 {exit}", "next hop {hop} belongs to the registered exit {exit}"
    ),
    "registered_proxy": Name(
        "代理 {proxy} 属于登记出口 {exit}", "proxy {proxy} belongs to the registered exit {exit}"
    ),
    "free_zone": Name("{zone}不限制出口", "exits are free in the {zone}"),
    "zone_allows_none": Name("{zone}不得有互联网出口", "the {zone} may have no way to the internet"),
    "next_hop_not_registered": Name(
        "下一跳 {hop} 不属于任何登记出口", "next hop {hop} belongs to no registered exit"
    ),
    "exit_not_for_node": Name(
        "下一跳 {hop} 属于登记出口 {exit}，但该出口不服务于本系统",
        "next hop {hop} belongs to the registered exit {exit}, which does not serve this asset",
    ),
    "no_next_hop": Name(
        "流量直接进入链路，没有可登记的下一跳",
        "packets go straight onto the link: there is no next hop to register",
    ),
    "link_kind_not_allowed": Name(
        "登记出口 {exit} 不允许经{kind}链路使用",
        "the registered exit {exit} may not be reached over a link of kind {kind}",
    ),
    "default_route": Name("默认路由", "a default route"),
    "split_default": Name("两段各占一半的默认路由", "a default route in two halves"),
    "public_route": Name(
        "通往互联网地址的路由 {destination}", "a route to internet addresses, {destination}"
    ),
    "policy_table": Name("路由在策略路由表 {table} 中", "the route stands in routing table {table}"),
    "in_use": Name(
        "{count} 个连接经此通向外部，如 {remote}", "{count} connections go outside by it, such as to {remote}"
    ),
    "public_resolver": Name("使用外部域名服务器 {resolver}", "names are asked of {resolver}, outside"),
    "zone_not_known": Name(
        "登记册不知道本节点所属的系统", "the register does not know the asset of this node"
    ),
    "link_not_known": Name(
        "节点没有报告链路 {link}", "the node told nothing of the link {link} the route names"
    ),
    "table_without_rule": Name("没有规则引用路由表 {table}", "no rule looks at routing table {table}"),
    "proxy_not_registered": Name(
        "代理 {proxy} 不属于任何登记出口", "proxy {proxy} belongs to no registered exit"
    ),
    "local_proxy": Name(
        "代理 {proxy} 在本机，去向未知", "proxy {proxy} is on the host itself; where it leads is not known"
    ),
    "local_script": Name(
        "代理自动配置脚本在本机（{source}），其中的代理未知",
        "the proxy script is on the host itself ({source}); which proxy it names is not known",
    ),
    "two_zones": Name("链路 {links} 分属 {zones}", "links {links} lie in {zones}"),
    "forwards": Name("本机在 {links} 之间转发", "the host forwards between {links}"),
    "listens_public": Name(
        "{process} 在互联网地址 {address} 上监听 {service}",
        "{process} listens for {service} on the internet address {address}",
    ),
    "service_not_allowed": Name(
        "{zone}不允许对外提供 {service}", "the {zone} does not allow {service} toward the internet"
    ),
}


class Reason(Struct, frozen=True):
    """One reason: a code of `REASONS` and its text."""

    code: str
    zh: str
    en: str


def reason(code: str, **values: Any) -> Reason:  # noqa: ANN401 - whatever the text names
    """Return a reason with its text filled; a `Name` among the values reads in each language.

    >>> reason("free_zone", zone=Name("互联网", "internet")).en
    'exits are free in the internet'
    """
    name = REASONS[code]
    zh, en = (
        text.format(**{k: v.in_language(lang) if isinstance(v, Name) else v for k, v in values.items()})
        for lang, text in (("zh", name.zh), ("en", name.en))
    )
    return Reason(code, zh, en)
