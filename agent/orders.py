"""Carries out what a collector orders and this node's own settings allow; every order comes to an end.

    GET /v1/orders?wait=50  ->  known? tell its outcome again
                                not signed by our collector           -> refused
                                for another node, unknown kind        -> refused
                                not allowed, bad parameters           -> refused
                                past its deadline, or not done by it  -> expired
                                raised                                -> failed
                                else                                  -> done
    outcome and evidence in one transaction of the outbox  ->  POST /v1/outcomes until it is taken

    lane of the packet filter    block, unblock, isolate, release: one after the other, as they were given
    a lane for each other kind   a capture of five minutes, a log on a file system that hangs

What takes long keeps nothing of another lane waiting, and what is done is told at once: told behind the rest,
it might be past its deadline at the collector, which would take it for not done.

The deadline is judged by the collector's clock, as its answer tells it: a node's wrong clock changes nothing,
nor does setting it while an order waits for its turn.
"""

import asyncio
import logging
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, get_args
from urllib.parse import quote

import msgspec
from msgspec import Raw, Struct

from wire.codec import JSON, UNREADABLE, Codec, WireError, encode
from wire.messages import VERSION, Order, Outcome, Signed
from wire.orders import LONGEST_DAYS, ParamsError, read_params
from wire.vocabulary import OrderKind, OrderState

from .actions import Action, Asked, BadParametersError, Finished
from .backoff import Backoff
from .outbox import Entry, Outbox, OutboxFullError
from .powers import FirewallError
from .signatures import SignatureError, Signatures
from .tasks import Tasks
from .texts import say
from .transport import UnreachableError, Way

_log = logging.getLogger("fengsui.orders")
_WAIT_SECONDS = 50
_PERMANENT = frozenset({400, 404, 409, 410, 422})
_LEAST_SECONDS = 1.0
_PACKET_FILTER = frozenset({"block_address", "unblock_address", "isolate_node", "release_node"})
KINDS: frozenset[str] = frozenset(get_args(OrderKind))


class _Orders(Struct, frozen=True, kw_only=True):
    """The answer of the poll, each order still as bytes: one we don't know must not hide the others."""

    version: int
    orders: list[Raw]


class _Named(Struct, frozen=True):
    id: str


class _Kinded(Struct, frozen=True):
    kind: str = ""


class _Job(Struct, frozen=True):
    """An order in its lane, as it came; the collector's clock was at `theirs` when ours was at `steady`."""

    raw: bytes
    named: _Named
    kind: str
    theirs: datetime
    steady: float

    def time(self, steady: float) -> datetime:
        """Return the collector's time now."""
        return self.theirs + timedelta(seconds=steady - self.steady)


class _EndedError(Exception):
    def __init__(self, state: OrderState, why: str) -> None:
        super().__init__(why)
        self.state = state


_answers: Codec[_Orders] = Codec(_Orders)
_LATER = (UnreachableError, WireError, OutboxFullError)
Sleep = Callable[[float], Awaitable[None]]


class Orders:
    """Asks for orders and brings each to its end.

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
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the actions this node allows, by kind; every other order is refused."""
        self._way = way
        self._outbox = outbox
        self._actions = actions
        self._node = node
        self._signatures = signatures
        self._now = now
        self._asking = Backoff(random, first=_LEAST_SECONDS)
        self._telling = Backoff(random, first=_LEAST_SECONDS)
        self._language = language
        self._sleep = sleep
        self._steady = steady
        self._lanes: dict[str, asyncio.Queue[_Job]] = {}
        self._working: set[str] = set()
        self._untold = asyncio.Event()
        self._got = ""
        self.unbelieved = 0
        self.ended: Counter[tuple[str, str]] = Counter()

    async def run(self) -> None:
        """Ask for ever."""
        self._lanes.clear()
        self._working.clear()
        self._got = ""
        async with Tasks() as tasks:
            tasks.spawn("orders-tell", self._tell_for_ever())
            while True:
                try:
                    fresh, waited = await self._ask(tasks)
                except _LATER as error:
                    _log.info("orders: %s", error)
                    await self._sleep(self._asking.failed())
                    continue
                self._asking.succeeded()
                # A collector that keeps listing what is ended or begun must not be asked in a circle.
                if not fresh and not waited:
                    await self._sleep(_LEAST_SECONDS)

    async def _ask(self, tasks: Tasks) -> tuple[bool, bool]:
        """Ask once; say whether an order was new, and whether the poll waited without any."""
        path = f"/v1/orders?wait={_WAIT_SECONDS}" + (f"&after={quote(self._got)}" if self._got else "")
        reply = await self._way.request("GET", path, seconds=_WAIT_SECONDS + 15)
        if reply.status != 200:
            raise UnreachableError(f"the poll for orders was answered with status {reply.status}")
        found = _answers.decode(reply.body).orders
        theirs = reply.date or self._now()
        fresh = []
        for raw in found:
            job = self._job(bytes(raw), theirs)
            fresh.append(await self._take(job, tasks))
            self._got = job.named.id[:64]
        return any(fresh), not found

    async def _take(self, job: _Job, tasks: Tasks) -> bool:
        """Put an order into its lane; False where it has ended, or is there already."""
        if job.named.id in self._working:
            return False
        if await self._outbox.order_ended(job.named.id):
            self._untold.set()
            return False
        lane = "packet-filter" if job.kind in _PACKET_FILTER else job.kind
        if lane not in self._lanes:
            self._lanes[lane] = asyncio.Queue()
            tasks.spawn(f"orders-{lane}", self._serve(self._lanes[lane]))
        self._working.add(job.named.id)
        self._lanes[lane].put_nowait(job)
        return True

    def _job(self, raw: bytes, theirs: datetime) -> _Job:
        try:
            named = msgspec.json.decode(raw, type=_Named)
        except UNREADABLE as error:
            raise WireError("malformed", 400, f"an order without an id: {error}") from None
        return _Job(raw, named, _kind_within(raw), theirs, self._steady())

    async def _serve(self, lane: asyncio.Queue[_Job]) -> None:
        """Bring the orders of a lane to their ends; one whose end can't be written comes again."""
        while True:
            job = await lane.get()
            try:
                await self._bring_to_an_end(job)
            except OutboxFullError as error:
                _log.info("orders: %s", error)
            finally:
                self._working.discard(job.named.id)
            self._untold.set()

    async def _bring_to_an_end(self, job: _Job) -> None:
        """Carry out one order and write down its outcome with what it brought."""
        state: OrderState = "done"
        try:
            finished = await self._carry_out(job)
        except _EndedError as error:
            state, finished = error.state, Finished({"why": str(error)})
        except Exception as error:  # noqa: BLE001 - one order nobody foresaw must not end the agent, and come again
            _log.exception("order %s failed", job.named.id)
            state, finished = "failed", Finished({"why": _short(error)})
        order, detail = job.named.id, finished.detail
        outcome = Outcome(version=VERSION, order=order, state=state, at=self._now(), detail=detail)
        entries = [Entry("evidence", "orders", self._now(), body) for body in finished.evidence]
        await self._outbox.conclude(outcome, entries)
        self.ended[job.kind, state] += 1
        _log.info(
            say(self._language, "order_ended", order=order, state=state, why=finished.detail.get("why", ""))
        )

    async def _carry_out(self, job: _Job) -> Finished:
        theirs = job.time(self._steady())
        order = self._believed(job.raw, job.named, theirs)
        action = self._actions.get(order.kind)
        if action is None:
            raise _EndedError("refused", f"this node's settings do not allow {order.kind!r}")
        seconds = (order.deadline - theirs).total_seconds()
        if seconds <= 0:
            raise _EndedError("expired", "its deadline had passed before its turn came")
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
        if order.deadline.tzinfo is None or order.issued_at.tzinfo is None:
            raise _EndedError("refused", "its times have no offset from UTC")
        return order

    async def _tell_for_ever(self) -> None:
        while True:
            self._untold.clear()
            try:
                await self._tell()
            except _LATER as error:
                _log.info("orders: %s", error)
                await self._sleep(self._telling.failed())
                continue
            self._telling.succeeded()
            await self._untold.wait()

    async def _tell(self) -> None:
        """Send every outcome that the collector has not taken; one that it can't take now holds up no other.

        Raises:
            UnreachableError: some are still to be told.
        """
        while outcomes := await self._outbox.untold_outcomes():
            left = ""
            for outcome in outcomes:
                headers = {"Content-Type": JSON}
                reply = await self._way.request("POST", "/v1/outcomes", encode(outcome), headers)
                if 200 <= reply.status < 300 or reply.status in _PERMANENT:
                    await self._outbox.outcome_told(outcome.order)
                else:
                    left = f"an outcome was answered with status {reply.status}"
            if left:
                raise UnreachableError(left)


async def _within(seconds: float, action: Action, asked: Asked) -> Finished:
    order = asked.order
    deadline = asyncio.timeout(seconds)
    try:
        async with deadline:
            return await _in_thread(lambda: action.carry_out(asked), f"order-{order.kind}")
    except BadParametersError as error:
        raise _EndedError("refused", str(error)) from None
    except (OSError, FirewallError) as error:  # what a host may answer: no such interface, no right, no nft
        if deadline.expired():
            raise _EndedError("expired", "it was not done by its deadline") from None
        raise _EndedError("failed", _short(error)) from None


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
