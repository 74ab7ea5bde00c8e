"""Mail that leaves by a stranger's server: relays, exchanges (MX), mail ports, and public webmail by name.

A relay that the register names among the proxies of an exit that serves the node is sanctioned. Connections
to mail ports outside are told as what is not known: whether it is a person's letter box or a list server's
delivery, the ports do not say.

An exchange outside that is none of the unit's own public ranges takes the unit's letters in. A name of public
webmail that was asked for is no proof of use; a connection to an address that was answered for it is, and so
is a greeting of TLS by that name to an address outside. In a zone without exits either is use of one.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from wire.vocabulary import Verdict

from .facts import Facts, MailDomain, Relay, Webmail, address
from .judged import CERTAINTY, Judged
from .reasons import Reason, reason
from .scope import Scope
from .ways import Talk

_KEPT = 5
PORTS = frozenset({25, 110, 143, 465, 587, 993, 995})


def judge_mail(facts: Facts, talks: Sequence[Talk], scope: Scope) -> Iterator[Judged]:
    """Judge where mail goes; nothing where the zone's exits are free."""
    if facts.exits is None or scope.policy.exits == "free":
        return
    for place, relay in {f"{one.host}:{one.port}": one for one in facts.exits.mail}.items():
        judged = _relay(place, relay, scope)
        if judged:
            yield judged
    for domain in facts.exits.mail_domains:
        yield from _exchanges(domain, scope)
    yield from (_webmail(one, talks, scope) for one in facts.exits.webmail)
    by_port = [one for one in facts.sockets.connections if one.remote_port in PORTS]
    outside = [one for one in by_port if scope.outside(address(one.remote_address))]
    if outside:
        count = sum(one.count for one in outside)
        seen = tuple(
            {"remote": one.remote_address, "port": one.remote_port, "process": one.process}
            for one in outside[:_KEPT]
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


def _exchanges(domain: MailDomain, scope: Scope) -> Iterator[Judged]:
    """Judge the exchanges of a domain: one that is outside and none of ours is enough."""
    for one in domain.exchanges:
        strange = [text for text in one.addresses if _is_strange(text, scope)]
        if strange:
            verdict: Verdict = "available" if scope.zone is not None else "unknown"
            yield _judged(
                f"mail/mx/{domain.domain}",
                verdict,
                one.name,
                why=reason(
                    "mail_exchange_outside", domain=domain.domain, exchange=one.name, address=strange[0]
                ),
                seen=({"domain": domain.domain, "exchange": one.name, "addresses": strange[:_KEPT]},),
                confidence=CERTAINTY["configured"],
            )
            return


def _is_strange(text: str, scope: Scope) -> bool:
    """Whether an address is outside, and neither in a range of our zones nor an egress of our exits."""
    place = address(text)
    own = any(place in network for one in scope.registry.exits.values() for network in one.egress)
    return scope.outside(place) and scope.registry.zone_of(place) is None and not own


def _webmail(one: Webmail, talks: Sequence[Talk], scope: Scope) -> Judged:
    addresses = {address(text) for text in one.addresses}
    to_it = next((talk for talk in talks if talk.remote in addresses), None)
    greeted = next((text for text in one.greeted if scope.outside(address(text))), None)
    seen: dict[str, Any] = {
        "service": one.service,
        "name": one.name,
        "count": one.count,
        "last_seen": one.last_seen,
        "how": list(one.how),
    }
    if to_it is not None:
        why, confidence = reason("webmail_used", name=one.name, remote=to_it.remote), CERTAINTY["seen"]
        seen |= {"remote": str(to_it.remote), "process": to_it.process}
    elif greeted is not None:
        why, confidence = reason("webmail_greeted", name=one.name, remote=greeted), CERTAINTY["seen"]
        seen |= {"remote": greeted, "process": None}
    else:
        why, confidence = reason("webmail_asked", name=one.name, count=one.count), CERTAINTY["guessed"]
    used = (to_it or greeted) is not None and scope.policy.exits == "none"
    verdict: Verdict = "used" if used and scope.zone is not None else "unknown"
    return _judged(f"webmail/{one.name}", verdict, one.name, why=why, seen=(seen,), confidence=confidence)


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
