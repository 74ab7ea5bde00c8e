"""The agents' routes: which bytes go to which flow, and what may use how much.

A route gets a `Call` and returns a `Reply`; of HTTP it knows no more than that.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from urllib.parse import parse_qs

from msgspec import Struct

from wire.codec import MAX_PACKED, Codec, encode, unpack
from wire.messages import EnrolmentRequest, Refusal

from ..store.nodes import Standing
from . import calls, limits
from .answers import RefusedError, Reply, message
from .calls import EndOrder, HearDrill, ReceiveFiling
from .enrol import Enroller
from .orders import MAX_WAIT_SECONDS, OrderDesk
from .program import ProgramDesk
from .receive import Receiver

_enrolment = Codec(EnrolmentRequest)


Forked = Callable[[Standing, datetime], Awaitable[None]]
"""Hears that a second writer continued a node's epoch: two hosts have its key."""


class Call(Struct, frozen=True, gc=False):
    """One request: who (None where no certificate was shown), what, and when its body had been read."""

    peer: Standing | None
    body: bytes
    encoding: str
    query: str
    at: datetime
    serial: str = ""


class Route(Struct, frozen=True, kw_only=True):
    """How a path is served.

    Fields:
        strangers: What who shows no certificate may use, and so keep from nobody who has one; None: nothing.
        most: Bytes a body may have.
    """

    method: str
    serve: Callable[[Call], Awaitable[Reply]]
    budget: limits.Budget
    strangers: limits.Budget | None = None
    most: int = MAX_PACKED


class Flows(Struct, frozen=True, kw_only=True):
    """What stands behind the routes; `app` builds each once."""

    receiver: Receiver
    enroller: Enroller
    orders: OrderDesk
    program: ProgramDesk
    end_order: EndOrder
    receive_filing: ReceiveFiling
    hear_drill: HearDrill
    forked: Forked


def routes(flows: Flows) -> dict[str, Route]:
    """Return every route of the agents' listener by its path."""

    async def batches(call: Call) -> Reply:
        peer = _peer(call)
        answer = await flows.receiver.take(peer.id, call.body, call.encoding, call.at)
        if isinstance(answer, Refusal) and answer.reason == "fork":
            await flows.forked(peer, call.at)
        return Reply(409 if isinstance(answer, Refusal) else 200, encode(answer))

    async def enrol(call: Call) -> Reply:
        request = _enrolment.decode(unpack(call.body, call.encoding))
        if call.peer is not None and not request.token:
            return message(await flows.enroller.renew(call.peer, request, call.at, call.serial))
        return message(await flows.enroller.enrol(request, call.at), 201)

    async def orders(call: Call) -> Reply:
        return message(await flows.orders.poll(_peer(call).id, _wait(call.query), _after(call.query)))

    async def program(call: Call) -> Reply:
        _peer(call)
        return flows.program.answer(_have(call.query), call.at)

    async def outcomes(call: Call) -> Reply:
        await calls.outcome(flows.end_order, _peer(call), call.body, call.encoding, call.at)
        return Reply(204, b"")

    async def filings(call: Call) -> Reply:
        receive = flows.receive_filing
        return message(await calls.filing(receive, _peer(call), call.body, call.encoding, call.at))

    async def drills(call: Call) -> Reply:
        return message(await calls.drill(flows.hear_drill, _peer(call), call.body, call.encoding, call.at))

    return {
        "/v1/batches": Route(method="POST", serve=batches, budget=limits.Budget(limits.BATCHES)),
        "/v1/orders": Route(method="GET", serve=orders, budget=limits.Budget(limits.ORDERS)),
        "/v1/program": Route(method="GET", serve=program, budget=limits.Budget(limits.PROGRAMS)),
        "/v1/outcomes": Route(method="POST", serve=outcomes, budget=limits.Budget(limits.OUTCOMES)),
        "/v1/filings": Route(method="POST", serve=filings, budget=limits.Budget(limits.FILINGS)),
        "/v1/drills": Route(method="POST", serve=drills, budget=limits.Budget(limits.DRILLS)),
        "/v1/enrol": Route(
            method="POST",
            serve=enrol,
            budget=limits.Budget(limits.RENEWALS),
            strangers=limits.Budget(limits.ENROLMENTS),
            most=limits.MAX_ENROLMENT,
        ),
    }


def _peer(call: Call) -> Standing:
    if call.peer is None:
        raise RefusedError("certificate", 403, "this route needs a client certificate; enrol first")
    return call.peer


def _wait(query: str) -> float:
    """Seconds of the long poll: `?wait=SECONDS`, as long as we allow where it is not given."""
    given = parse_qs(query, max_num_fields=8).get("wait", [])
    if not given:
        return MAX_WAIT_SECONDS
    if not given[-1].isascii() or not given[-1].isdecimal() or len(given[-1]) > 4:
        raise RefusedError("malformed", 400, f"wait is {given[-1][:20]!r}, expected whole seconds")
    return float(given[-1])


def _after(query: str) -> str:
    """Id of the last order that a node has got: `?after=ID`; empty where it says none."""
    return parse_qs(query, max_num_fields=8).get("after", [""])[-1][:64]


def _have(query: str) -> str:
    """Digest of the rules that a node has: `?have=HEX`; empty where it has none."""
    return parse_qs(query, max_num_fields=8).get("have", [""])[-1][:64]
