"""The task that empties the outbox."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import datetime

import msgspec

from wire.codec import IDENTITY, JSON, UNREADABLE, Codec, WireError, encode, pack
from wire.messages import Ack, Batch, Refusal

from ..outbox import Outbox, OutboxFullError
from ..texts import say
from ..transport import Reply, UnreachableError, Way
from .pace import Pace, Step

_log = logging.getLogger("fengsui.uplink")
_LEAST_SECONDS = 30.0
_NO_SUCH_ENCODING = 415
# A line of 32 kbit/s still gets a whole batch through in its time.
_SLOWEST_BYTES_A_SECOND = 4096
_acks: Codec[Ack] = Codec(Ack)
_refusals: Codec[Refusal] = Codec(Refusal)
Sleep = Callable[[float], Awaitable[None]]


class Uplink:
    """Offers the oldest run of reports until it is confirmed, then the next.

    Attributes:
        answered: Set once a collector has confirmed something.
    """

    def __init__(
        self,
        way: Way,
        outbox: Outbox,
        random: Callable[[], float],
        language: str,
        *,
        authorities: str = "",
        ended: Callable[[], datetime | None] = lambda: None,
        rekey: Callable[[], None] = lambda: None,
        sleep: Sleep = asyncio.sleep,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take what sends and what is sent.

        Args:
            way: To the collectors.
            outbox: What waits.
            random: Numbers from 0 to below 1.
            language: Of what is logged.
            authorities: Digest of those that are trusted.
            ended: When this node's certificate ended, None while it counts: of such a one a collector only
                cuts the line, and says no word.
            rekey: Asks for a fresh certificate.
            sleep: Waits.
            steady: Seconds of a clock that nobody sets.
        """
        self._way = way
        self._ended = ended
        self._outbox = outbox
        self._pace = Pace(random)
        self._language = language
        self._rekey = rekey
        self._authorities = authorities
        self._sleep = sleep
        self._steady = steady
        self._zstd = True
        self.answered = asyncio.Event()

    async def run(self) -> None:
        """Send for ever; wakes when a report is accepted."""
        while True:
            try:
                wait = await self._send_next()
            except OutboxFullError as error:
                wait = self._hold(self._pace.judge(None, 1).wait, str(error), "disk_full")
            if wait:
                await self._sleep(wait)

    async def _send_next(self) -> float:
        """Send the next batch, waiting for one where there is none; return the seconds to wait."""
        self._outbox.news.clear()
        batch = await self._outbox.peek(self._pace.limit)
        if batch is None:
            await self._outbox.news.wait()
            return 0.0
        return await self._offer(batch)

    async def _offer(self, batch: Batch) -> float:
        """Send one batch, apply the answer and return the seconds to wait."""
        try:
            reply = await self._post(batch)
        except UnreachableError as error:
            step = self._pace.judge(None, len(batch.reports))
            ended = self._ended()
            return self._hold(step.wait, str(error), "certificate_ended" if ended else "held", at=ended)
        step = self._pace.judge(reply.status, len(batch.reports), reply.retry_after)
        try:
            return await self._apply(step, batch, reply)
        except WireError as error:
            return self._hold(self._pace.reconciled(changed=False), f"unreadable answer: {error}")

    async def _post(self, batch: Batch) -> Reply:
        reply = await self._post_packed(batch)
        if reply.status == _NO_SUCH_ENCODING and self._zstd:
            # A collector without zstandard; every one takes gzip.
            self._zstd = False
            reply = await self._post_packed(batch)
        return reply

    async def _post_packed(self, batch: Batch) -> Reply:
        body, encoding = pack(encode(batch), zstd=self._zstd)
        while wait := self._pace.sends(len(body), self._steady()):
            await self._sleep(wait)
        headers = {"Content-Type": JSON}
        if encoding != IDENTITY:
            headers["Content-Encoding"] = encoding
        seconds = _LEAST_SECONDS + len(body) / _SLOWEST_BYTES_A_SECOND
        try:
            reply = await self._way.request("POST", "/v1/batches", body, headers, seconds)
        except UnreachableError as error:
            self._pace.took(len(body), error.bodies)
            raise
        self._pace.took(len(body), reply.bodies)
        return reply

    async def _apply(self, step: Step, batch: Batch, reply: Reply) -> float:
        match step.verb:
            case "confirm":
                return await self._confirm(_acks.decode(reply.body))
            case "reconcile":
                return await self._reconcile(_refusals.decode(reply.body))
            case "again":
                return 0.0
            case "set_aside":
                report = batch.reports[0]
                why = _told(reply)
                await self._outbox.set_aside(report.id, why)
                _log.error(say(self._language, "set_aside", report=report.id, why=why))
                return step.wait
            case "hold":
                if _reason(reply) == "rekey":
                    self._rekey()
                return self._hold(step.wait, _told(reply))

    async def _confirm(self, ack: Ack) -> float:
        settled = await self._outbox.acknowledge(ack)
        self.answered.set()
        if ack.authorities and self._authorities and ack.authorities != self._authorities:
            self._rekey()
        if settled == "dropped":
            self._pace.progressed()
            return 0.0
        if settled == "renumbered":
            _log.error(say(self._language, "renumbered"))
        return self._pace.reconciled(changed=settled == "renumbered")

    async def _reconcile(self, refusal: Refusal) -> float:
        settled = await self._outbox.refused(refusal)
        if settled in {"renumbered", "rewound"}:
            _log.error(say(self._language, settled))
        return self._pace.reconciled(changed=settled != "nothing")

    def _hold(self, seconds: float, why: str, code: str = "held", at: datetime | None = None) -> float:
        level = logging.WARNING if self._pace.failures < 3 else logging.INFO
        _log.log(level, say(self._language, code, why=why, seconds=seconds, at=at))
        return seconds


def _reason(reply: Reply) -> str:
    """Return the end of a problem's type; empty where the answer is none."""
    try:
        return str(msgspec.json.decode(reply.body, type=dict[str, object]).get("type")).rpartition(":")[2]
    except UNREADABLE:
        return ""


def _told(reply: Reply) -> str:
    """Return the status and what the collector says about it (RFC 9457 where it does)."""
    text = reply.body[:2000].decode("utf-8", "replace")
    try:
        problem = msgspec.json.decode(reply.body, type=dict[str, object])
        text = str(problem.get("detail") or problem.get("title") or text)
    except UNREADABLE:
        pass
    return f"status {reply.status} {text[:300]}".strip()
