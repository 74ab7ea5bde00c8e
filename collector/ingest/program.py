"""The rules as nodes ask for them: one signed program for all, made anew when the rules have changed.

have = digest of the rules in use  ─> 304
no rules are in use                ─> 204
else                               ─> the program in its envelope
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from wire.codec import encode
from wire.ids import uuid7
from wire.messages import Purpose, Signed
from wire.program import Program, ProgramError, Rule, digest, encode_program

from .answers import RefusedError, Reply

Sign = Callable[[str, Purpose, bytes, datetime], Signed]


class ProgramDesk:
    """Answers every node.

    Args:
        rules: The rules in use; asked at every question, so that a reload counts at once.
        sign: Puts a body into its envelope.
    """

    def __init__(self, rules: Callable[[], Sequence[Rule]], sign: Sign) -> None:
        self._rules = rules
        self._sign = sign
        self._made_of: Sequence[Rule] | None = None
        self._digest = ""
        self._body = b""

    def answer(self, have: str, now: datetime) -> Reply:
        """Return what a node that has `have` is told.

        Raises:
            RefusedError: `too_large` (503): the rules are more than one envelope holds.
        """
        rules = self._rules()
        if not rules:
            return Reply(204, b"")
        if rules is not self._made_of:
            self._make(rules, now)
        if have == self._digest:
            return Reply(304, b"")
        return Reply(200, encode(self._sign(uuid7(now), "program", self._body, now)))

    def _make(self, rules: Sequence[Rule], now: datetime) -> None:
        try:
            self._body = encode_program(Program(made_at=now, rules=list(rules)))
        except ProgramError as error:
            raise RefusedError("too_large", 503, str(error), 300) from None
        self._made_of, self._digest = rules, digest(list(rules))
