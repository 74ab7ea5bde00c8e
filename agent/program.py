"""Keeps this node's rule program: asks the collector for it, believes it, and holds it over restarts.

    GET /v1/program?have=<digest>  ─> 304            nothing new
                                   ─> a signed one   signature? form, sizes, expressions?
                                                         good: written to program.json, then evaluated
                                                         bad:  told once as a `gap`; what was held stays
                                   ─> 204            no rules: what was held is let go

An older program than the one held is not taken: two collectors of which one has not yet read the new rules
would otherwise take turns.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from wire.codec import UNREADABLE
from wire.messages import Signed
from wire.program import Program, ProgramError, Rule, digest, read_program

from .keeping import replace_file
from .signatures import SignatureError, Signatures
from .transport import UnreachableError, Way

PATH = "/v1/program"
EVERY = 60.0
_FILE = "program.json"
_log = logging.getLogger("fengsui.program")
_OLDEST = datetime.min.replace(tzinfo=UTC)


class _Made(Struct, frozen=True):
    made_at: datetime


class Programs:
    """Fetches programs for one world of the agent.

    Attributes:
        refused: Programs that were not taken.
        rules: How many rules are held.
    """

    def __init__(
        self,
        way: Way,
        folder: Path,
        signatures: Signatures,
        *,
        now: Callable[[], datetime],
        use: Callable[[Sequence[Rule]], None],
        refuse: Callable[[str], Awaitable[None]],
        random: Callable[[], float],
    ) -> None:
        """Take where programs come from and go to.

        Args:
            way: Asks the collectors.
            folder: The state folder.
            signatures: Whom this node believes.
            now: The host's clock.
            use: Takes the rules in force.
            refuse: Told, once a program, why it was not taken; empty once the collector has another.
            random: Spreads a fleet's questions over the minute.
        """
        self._way = way
        self._file = folder / _FILE
        self._signatures = signatures
        self._now = now
        self._use = use
        self._refuse = refuse
        self._random = random
        self._made_at = _OLDEST
        self._held = ""
        self._told = ""
        self.refused = 0
        self.rules = 0

    async def run(self) -> None:
        """Ask for ever."""
        await self._recall()
        while True:
            try:
                await self.ask()
            except UnreachableError as error:
                _log.info("program: %s", error)
            await asyncio.sleep(EVERY * (0.5 + self._random()))

    async def ask(self) -> None:
        """Ask once.

        Raises:
            UnreachableError: no collector answered.
        """
        reply = await self._way.request("GET", f"{PATH}?have={self._held}")
        if reply.status == 304:
            await self._agree()
            return
        if reply.status == 204:
            self._let_go()
            await self._agree()
            return
        if reply.status != 200:
            raise UnreachableError(f"the question for rules was answered with status {reply.status}")
        try:
            program = self._believed(reply.body, reply.date or self._now())
        except (ProgramError, SignatureError) as error:
            await self._tell(reply.body, str(error))
            return
        if program.made_at < self._made_at:
            return
        try:
            await asyncio.to_thread(replace_file, self._file, reply.body)
        except OSError as error:
            _log.warning("program: it is used, and not kept over a restart: %s", error)
        self._take(program)

    async def _recall(self) -> None:
        """Use what was held before the restart, if it still proves itself.

        Its signer's certificate is judged at the time the program was made: a node that could not reach its
        collector for months still has its rules.
        """
        try:
            body = await asyncio.to_thread(self._file.read_bytes)
        except OSError:
            return
        try:
            self._take(self._believed(body, None))
        except (ProgramError, SignatureError) as error:
            await self._tell(body, f"the program kept in {self._file}: {error}")

    def _believed(self, body: bytes, at: datetime | None) -> Program:
        """Return the program of an envelope that proves itself at a time, or at its own."""
        try:
            signed = msgspec.json.decode(body, type=Signed)
            at = at or msgspec.json.decode(signed.body, type=_Made).made_at
            if at.tzinfo is None:
                raise ProgramError("made_at: found a time without an offset, expected one with it")
        except UNREADABLE as error:
            raise ProgramError(f"not a signed program: {error}") from None
        return read_program(self._signatures.open(signed, "program", at))

    def _take(self, program: Program) -> None:
        self._use(program.rules)
        self._told = ""
        self._made_at, self._held, self.rules = program.made_at, digest(program.rules), len(program.rules)
        _log.info("program: %d rules of %s", self.rules, program.made_at.isoformat())

    def _let_go(self) -> None:
        if self._held:
            try:
                self._file.unlink(missing_ok=True)
            except OSError as error:
                _log.warning("program: let go, and comes back at a restart until it is told again: %s", error)
            self._use([])
        self._held, self.rules, self._made_at = "", 0, _OLDEST

    async def _agree(self) -> None:
        """Say that the collector has no other program than what is held."""
        if self._told:
            self._told = ""
            await self._refuse("")

    async def _tell(self, body: bytes, why: str) -> None:
        """Say why a program was not taken; the same one is told once."""
        self.refused += 1
        seen = str(hash(body))
        if seen != self._told:
            self._told = seen
            _log.error("program: not taken: %s", why)
            await self._refuse(why)
