"""A batch on its way in: decoded and validated whole, judged and stored by the event log, acknowledged.

Knows nothing of HTTP: a node id, bytes and a time come in; a message for the sender comes out.
"""

from collections.abc import Callable
from datetime import datetime
from time import perf_counter

from wire.codec import Codec, WireError, unpack
from wire.messages import VERSION, Ack, Batch, Refusal
from wire.session import DisorderError, Refuse, Repeat, Slice, Take

from ..eventlog.port import EventLog
from .tally import Tally

_codec = Codec(Batch)


class Receiver:
    """Takes batches of any number of nodes at once."""

    def __init__(
        self, log: EventLog, tally: Tally, timer: Callable[[], float] = perf_counter, authorities: str = ""
    ) -> None:
        self._log = log
        self._authorities = authorities
        self._tally = tally
        self._timer = timer

    async def take(self, node: str, body: bytes, encoding: str, received_at: datetime) -> Ack | Refusal:
        """Return the acknowledgement of a batch after its commit, or why it was refused.

        Args:
            node: Who sent it, as its certificate says.
            body: As received; it is what will be kept.
            encoding: Its `Content-Encoding`.
            received_at: When the body had been read.

        Raises:
            WireError: the body can't be taken; the same bytes fail again.
            RetryableError: the event log is busy or full; nothing is acknowledged.
        """
        begun = self._timer()
        epoch, batch = _read(body, encoding)
        try:
            answer = await self._log.append(node, epoch, batch, body, received_at)
        except DisorderError as error:
            raise WireError("malformed", 400, str(error)) from None
        if isinstance(answer, Refuse):
            self._tally.refused[answer.reason] += 1
            return Refusal(
                version=VERSION,
                reason=answer.reason,
                epoch=epoch,
                highest=answer.held.highest,
                highest_id=answer.held.highest_id,
            )
        self._count(answer, self._timer() - begun)
        return Ack(
            version=VERSION,
            epoch=epoch,
            highest=answer.held.highest,
            highest_id=answer.held.highest_id,
            received_at=received_at,
            authorities=self._authorities,
        )

    def _count(self, answer: Take | Repeat, seconds: float) -> None:
        if isinstance(answer, Repeat):
            self._tally.repeats += 1
            return
        self._tally.batches += 1
        self._tally.reports += answer.fresh
        self._tally.missing += answer.missing
        self._tally.commit(seconds)


def _read(body: bytes, encoding: str) -> tuple[str, Slice]:
    message = _codec.decode(unpack(body, encoding))
    reports = message.reports
    batch = Slice(
        message.after, message.after_id, [report.seq for report in reports], [report.id for report in reports]
    )
    # PostgreSQL's text can't hold NUL, and no honest id has one.
    if "\0" in message.epoch or "\0" in batch.ids[-1]:
        raise WireError("malformed", 400, "epoch or report id contains NUL; ids are UUIDv7 text")
    return message.epoch, batch
