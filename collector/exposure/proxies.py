"""Proxy settings are ways out as well: to a registered proxy, to another, or to one on the host itself."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from wire.vocabulary import ZONES, Verdict

from .facts import Proxy, address
from .judged import CERTAINTY, Judged
from .reasons import reason
from .scope import Scope

_PORTS = {"https": 443, "socks4": 1080, "socks5": 1080, "socks5h": 1080}


def judge_proxies(proxies: Iterable[Proxy], scope: Scope) -> list[Judged]:
    """Judge every proxy that is set; one set in several places is one."""
    found: dict[str, Proxy] = {}
    for proxy in proxies:
        place = _proxy_address(proxy)
        if place:
            found.setdefault(place, proxy)
    return [_judge_proxy(place, proxy, scope) for place, proxy in sorted(found.items())]


def _proxy_address(proxy: Proxy) -> str | None:
    """Return `host:port` of a proxy setting, None where it names none."""
    if proxy.name.lower() == "no_proxy":
        return None
    text = proxy.value if "://" in proxy.value else f"http://{proxy.value}"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port or _PORTS.get(parts.scheme, 80)
    except ValueError:  # people write anything into a proxy variable
        return None
    if not host:
        return None
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _judge_proxy(place: str, proxy: Proxy, scope: Scope) -> Judged:
    verdict: Verdict = "available"
    by = next((one for one in scope.exits if place in one.proxies), None)
    if scope.zone is None:
        verdict, why = "unknown", reason("zone_not_known")
    elif scope.policy.exits == "free":
        verdict, why = "sanctioned", reason("free_zone", zone=ZONES[scope.zone])
    elif scope.policy.exits == "sanctioned" and by is not None:
        verdict, why = "sanctioned", reason("registered_proxy", proxy=place, exit=by.name)
    elif _is_local(place):
        verdict, why = "unknown", reason("local_proxy", proxy=place)
    else:
        why = reason("proxy_not_registered", proxy=place)
    return Judged(
        key=f"proxy/{place}",
        verdict=verdict,
        link="",
        link_kind="unknown",
        next_hop=place,
        addresses=(),
        sanctioned_by=by.id if by and verdict == "sanctioned" else None,
        reasons=(why,),
        evidence=({"setting": proxy.name, "source": proxy.source},),
        confidence=CERTAINTY["guessed" if verdict == "unknown" else "configured"],
    )


def _is_local(place: str) -> bool:
    host = place.rpartition(":")[0].strip("[]")
    try:
        return address(host).is_loopback
    except ValueError:
        return host == "localhost"
