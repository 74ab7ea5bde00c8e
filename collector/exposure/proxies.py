"""Proxy settings are ways out as well: to a registered proxy, to another, or to one on the host itself.

Which proxy a script (PAC) in a file of the host names is not known: the file itself is not read.
"""

from collections.abc import Iterable
from urllib.parse import urlsplit

from wire.vocabulary import ZONES, Verdict

from .facts import Proxy, address
from .judged import CERTAINTY, Judged
from .reasons import Reason, reason
from .scope import Scope

_MOST = 16
_SCRIPTS_HERE = ("file:", "data:")
_PORTS = {"https": 443, "socks4": 1080, "socks5": 1080, "socks5h": 1080}


def judge_proxies(proxies: Iterable[Proxy], scope: Scope) -> list[Judged]:
    """Judge every proxy that is set; one set in several places is one."""
    found: dict[str, Proxy] = {}
    scripts: dict[str, Proxy] = {}
    for proxy in proxies:
        if proxy.name.lower() == "no_proxy":
            continue
        if proxy.value.lower().startswith(_SCRIPTS_HERE):
            scripts.setdefault(proxy.source, proxy)
            continue
        for place in _places(proxy.value):
            found.setdefault(place, proxy)
    judged = [_judge_proxy(place, proxy, scope) for place, proxy in sorted(found.items())]
    return judged + [_judge_script(proxy, scope) for _, proxy in sorted(scripts.items())]


def _places(value: str) -> list[str]:
    """Return `host:port` of every proxy that a setting names; browsers take one for each protocol."""
    found = []
    for one in value.split(";")[:_MOST]:
        bare = one.strip() if "://" in one else one.strip().rpartition("=")[2]
        text = bare if "://" in bare else f"http://{bare}"
        try:
            parts = urlsplit(text)
            host, port = parts.hostname, parts.port or _PORTS.get(parts.scheme, 80)
        except ValueError:  # people write anything into a proxy variable
            continue
        if host:
            found.append(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
    return found


def _judge_script(proxy: Proxy, scope: Scope) -> Judged:
    verdict, why = _free(scope) or ("unknown", reason("local_script", source=proxy.source or "?"))
    return _judged(f"proxy/script:{proxy.source}", None, proxy, verdict, why)


def _free(scope: Scope) -> tuple[Verdict, Reason] | None:
    """Return the verdict where it does not depend on the proxy."""
    if scope.zone is None:
        return "unknown", reason("zone_not_known")
    if scope.policy.exits == "free":
        return "sanctioned", reason("free_zone", zone=ZONES[scope.zone])
    return None


def _judge_proxy(place: str, proxy: Proxy, scope: Scope) -> Judged:
    by = next((one for one in scope.exits if place in one.proxies), None)
    if free := _free(scope):
        return _judged(f"proxy/{place}", place, proxy, *free)
    if scope.policy.exits == "sanctioned" and by is not None:
        why = reason("registered_proxy", proxy=place, exit=by.name)
        return _judged(f"proxy/{place}", place, proxy, "sanctioned", why, by=by.id)
    if _is_local(place):
        return _judged(f"proxy/{place}", place, proxy, "unknown", reason("local_proxy", proxy=place))
    return _judged(f"proxy/{place}", place, proxy, "available", reason("proxy_not_registered", proxy=place))


def _judged(
    key: str, place: str | None, proxy: Proxy, verdict: Verdict, why: Reason, *, by: str | None = None
) -> Judged:
    return Judged(
        key=key,
        verdict=verdict,
        link="",
        link_kind="unknown",
        next_hop=place,
        addresses=(),
        sanctioned_by=by,
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
