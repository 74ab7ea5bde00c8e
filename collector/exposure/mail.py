"""Mail that leaves by a stranger's server: the relay a mail server is given, and connections to mail ports.

A relay that the register names among the proxies of an exit that serves the node is sanctioned. Connections
to mail ports outside are told as what is not known: whether it is a person's letter box or a list server's
delivery, the ports do not say.
"""

from collections.abc import Iterator
from typing import Any

from wire.vocabulary import Verdict

from .facts import Facts, Relay, address
from .judged import CERTAINTY, Judged
from .reasons import Reason, reason
from .scope import Scope

PORTS = frozenset({25, 110, 143, 465, 587, 993, 995})


def judge_mail(facts: Facts, scope: Scope) -> Iterator[Judged]:
    """Judge where mail goes; nothing where the zone's exits are free."""
    if facts.exits is None or scope.policy.exits == "free":
        return
    for place, relay in {f"{one.host}:{one.port}": one for one in facts.exits.mail}.items():
        judged = _relay(place, relay, scope)
        if judged:
            yield judged
    talks = [one for one in facts.sockets.connections if one.remote_port in PORTS]
    outside = [one for one in talks if scope.outside(address(one.remote_address))]
    if outside:
        count = sum(one.count for one in outside)
        seen = tuple(
            {"remote": one.remote_address, "port": one.remote_port, "process": one.process}
            for one in outside[:5]
        )
        why = reason("mail_outside", count=count, remote=outside[0].remote_address)
        yield _judged("mail/connections", "unknown", None, why=why, seen=seen, confidence=CERTAINTY["seen"])


def _relay(place: str, relay: Relay, scope: Scope) -> Judged | None:
    seen = ({"relay": place, "source": relay.source},)
    by = next((one for one in scope.exits if place in one.proxies), None)
    if by is not None:
        why = reason("registered_proxy", proxy=place, exit=by.name)
        return _judged(
            f"mail/{place}",
            "sanctioned",
            place,
            why=why,
            seen=seen,
            confidence=CERTAINTY["configured"],
            by=by.id,
        )
    try:
        outside = scope.outside(address(relay.host))
    except ValueError:
        why = reason("mail_relay_by_name", relay=place)
        return _judged(f"mail/{place}", "unknown", place, why=why, seen=seen, confidence=CERTAINTY["guessed"])
    if not outside:
        return None
    verdict: Verdict = "available" if scope.zone is not None else "unknown"
    why = reason("mail_relay_outside", relay=place)
    return _judged(f"mail/{place}", verdict, place, why=why, seen=seen, confidence=CERTAINTY["configured"])


def _judged(
    key: str,
    verdict: Verdict,
    hop: str | None,
    *,
    why: Reason,
    seen: tuple[dict[str, Any], ...],
    confidence: float,
    by: str | None = None,
) -> Judged:
    return Judged(
        key=key,
        verdict=verdict,
        link="",
        link_kind="unknown",
        next_hop=hop,
        addresses=(),
        sanctioned_by=by,
        reasons=(why,),
        evidence=seen,
        confidence=confidence,
    )
