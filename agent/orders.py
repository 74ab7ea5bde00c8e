"""Carries out what a collector orders and this node's own settings allow; every order comes to an end.

    GET /v1/orders?wait=50  ->  known? tell its outcome again
                                not signed by our collector           -> refused
                                for another node, unknown kind        -> refused
                                not allowed, bad parameters           -> refused
                                past its deadline, or not done by it  -> expired
                                raised                                -> failed
                                else                                  -> done
    outcome and evidence in one transaction of the outbox  ->  POST /v1/outcomes until it is taken

The deadline is judged by the collector's clock, as its answer tells it: a node's wrong clock changes nothing.
"""

import asyncio
import logging
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, get_args

import msgspec
from msgspec import Raw, Struct

from wire.codec import JSON, UNREADABLE, Codec, WireError, encode
from wire.messages import VERSION, Order, Outcome, Signed
from wire.orders import LONGEST_DAYS, ParamsError, read_params
from wire.vocabulary import OrderKind, OrderState

from .actions import Action, Asked, BadParametersError, Finished
from .backoff import Backoff
from .outbox import Entry, Outbox, OutboxFullError
from .signatures import SignatureError, Signatures
from .texts import say
from .transport import UnreachableError, Way

_log = logging.getLogger("fengsui.orders")
_WAIT_SECONDS = 50
_PERMANENT = frozenset({400, 404, 409, 410, 422})
_LEAST_SECONDS = 1.0
KINDS: frozenset[str] = frozenset(get_args(OrderKind))


class _Orders(Struct, frozen=True, kw_only=True):
    """The answer of the poll, each order still as bytes: one we don't know must not hide the others."""

    version: int
    orders: list[Raw]


class _Named(Struct, frozen=True):
    id: str


class _Kinded(Struct, frozen=True):
    kind: str = ""


class _EndedError(Exception):
    def __init__(self, state: OrderState, why: str) -> None:
        super().__init__(why)
        self.state = state


_answers: Codec[_Orders] = Codec(_Orders)
Sleep = Callable[[float], Awaitable[None]]


class Orders:
    """Asks for orders and brings each to its end, one at a time.

    Attributes:
        unbelieved: Orders that no collector of ours had signed for this node.
        ended: How many came to which end, by kind and state; a kind that is none of ours is `unknown`.
    """

    def __init__(
        self,
        way: Way,
        outbox: Outbox,
        actions: Mapping[str, Action],
        *,
        node: str,
        signatures: Signatures,
        now: Callable[[], datetime],
        random: Callable[[], float],
        language: str,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """Take the actions this node allows, by kind; every other order is refused."""
        self._way = way
        self._outbox = outbox
        self._actions = actions
        self._node = node
        self._signatures = signatures
        self._now = now
        self._backoff = Backoff(random, first=_LEAST_SECONDS)
        self._language = language
        self._sleep = sleep
        self.unbelieved = 0
        self.ended: Counter[tuple[str, str]] = Counter()

    async def run(self) -> None:
        """Ask for ever."""
        while True:
            try:
                await self._tell()
                fresh, waited = await self._ask()
                await self._tell()
            except (UnreachableError, WireError, OutboxFullError) as error:
                _log.info("orders: %s", error)
                await self._sleep(self._backoff.failed())
                continue
            self._backoff.succeeded()
            # A collector that keeps listing what is ended must not be asked in a circle.
            if not fresh and not waited:
                await self._sleep(_LEAST_SECONDS)

    async def _ask(self) -> tuple[bool, bool]:
        """Ask once; say whether an order was new, and whether the poll waited without any."""
        reply = await self._way.request("GET", f"/v1/orders?wait={_WAIT_SECONDS}", seconds=_WAIT_SECONDS + 15)
        if reply.status != 200:
            raise UnreachableError(f"the poll for orders was answered with status {reply.status}")
        found = _answers.decode(reply.body).orders
        ahead = reply.date - self._now() if reply.date else timedelta()
        fresh = [await self._bring_to_an_end(bytes(raw), ahead) for raw in found]
        return any(fresh), not found

    async def _bring_to_an_end(self, raw: bytes, ahead: timedelta) -> bool:
        """Carry out one order unless it was; `ahead` is what the collector's clock is ahead of ours."""
        try:
            named = msgspec.json.decode(raw, type=_Named)
        except UNREADABLE as error:
            raise WireError("malformed", 400, f"an order without an id: {error}") from None
        if await self._outbox.order_ended(named.id):
            return False
        state: OrderState = "done"
        kind = _kind_within(raw)
        try:
            finished = await self._carry_out(raw, named, ahead)
        except _EndedError as error:
            state, finished = error.state, Finished({"why": str(error)})
        outcome = Outcome(
            version=VERSION, order=named.id, state=state, at=self._now(), detail=finished.detail
        )
        entries = [Entry("evidence", "orders", self._now(), body) for body in finished.evidence]
        await self._outbox.conclude(outcome, entries)
        self.ended[kind, state] += 1
        why = finished.detail.get("why", "")
        _log.info(say(self._language, "order_ended", order=named.id, state=state, why=why))
        return True

    async def _carry_out(self, raw: bytes, named: _Named, ahead: timedelta) -> Finished:
        theirs = self._now() + ahead
        order = self._believed(raw, named, theirs)
        action = self._actions.get(order.kind)
        if action is None:
            raise _EndedError("refused", f"this node's settings do not allow {order.kind!r}")
        seconds = (order.deadline - theirs).total_seconds()
        if seconds <= 0:
            raise _EndedError("expired", "its deadline had passed when it arrived")
        if order.deadline > theirs + timedelta(days=LONGEST_DAYS):
            raise _EndedError("refused", f"its deadline is more than {LONGEST_DAYS} days ahead")
        try:
            asked = Asked(order, read_params(order.kind, order.params), theirs)
        except ParamsError as error:
            raise _EndedError("refused", str(error)) from None
        return await _within(seconds, action, asked)

    def _believed(self, raw: bytes, named: _Named, theirs: datetime) -> Order:
        """Return the order of an envelope that proves itself and is for this node."""
        try:
            signed = msgspec.json.decode(raw, type=Signed)
            body = self._signatures.open(signed, "order", theirs)
        except (SignatureError, *UNREADABLE) as error:
            self.unbelieved += 1
            raise _EndedError("refused", f"not signed by a collector of ours: {error}") from None
        try:
            order = msgspec.json.decode(body, type=Order)
        except UNREADABLE as error:
            kind = _kind(body)
            raise _EndedError("refused", f"this node does not know the order {kind!r} ({error})") from None
        if (order.id, order.node) != (named.id, self._node):
            self.unbelieved += 1
            raise _EndedError("refused", f"it is order {order.id} for node {order.node}, not for this one")
        return order

    async def _tell(self) -> None:
        """Send every outcome that the collector has not taken."""
        for outcome in await self._outbox.untold_outcomes():
            headers = {"Content-Type": JSON}
            reply = await self._way.request("POST", "/v1/outcomes", encode(outcome), headers)
            if not 200 <= reply.status < 300 and reply.status not in _PERMANENT:
                raise UnreachableError(f"an outcome was answered with status {reply.status}")
            await self._outbox.outcome_told(outcome.order)


async def _within(seconds: float, action: Action, asked: Asked) -> Finished:
    order = asked.order
    try:
        async with asyncio.timeout(seconds):
            return await _in_thread(lambda: action.carry_out(asked), f"order-{order.kind}")
    except TimeoutError:
        raise _EndedError("expired", "it was not done by its deadline") from None
    except BadParametersError as error:
        raise _EndedError("refused", str(error)) from None
    except Exception as error:
        _log.exception("order %s failed", order.id)
        raise _EndedError("failed", _short(error)) from error


async def _in_thread(work: Callable[[], Finished], name: str) -> Finished:
    """Run blocking work in a daemon thread, so that one that hangs can't keep the agent from ending."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Finished] = loop.create_future()

    def settle(result: Finished | None, error: Exception | None) -> None:
        if done.done():
            return
        if result is not None:
            done.set_result(result)
        else:
            done.set_exception(error or RuntimeError("no result"))

    def run() -> None:
        result: Finished | None = None
        failure: Exception | None = None
        try:
            result = work()
        except Exception as error:  # noqa: BLE001 - raised where it is awaited
            failure = error
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, result, failure)

    threading.Thread(target=run, name=name, daemon=True).start()
    return await done


def _kind_within(raw: bytes) -> str:
    """Return the kind an envelope says, whether it is believed or not, for what is counted."""
    try:
        kind = _kind(msgspec.json.decode(raw, type=Signed).body)
    except UNREADABLE:
        return "unknown"
    return kind if kind in KINDS else "unknown"


def _kind(body: bytes) -> str:
    try:
        return msgspec.json.decode(body, type=_Kinded).kind[:40]
    except UNREADABLE:
        return ""


def _short(error: Any) -> str:  # noqa: ANN401 - any exception
    return f"{type(error).__name__}: {error}"[:300]
