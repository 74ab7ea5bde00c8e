"""Checking a password costs 50 ms of CPU and 64 MiB by design; a flood of guesses must not stop the desk."""

import asyncio
from collections.abc import Callable

from .problem import ProblemError

AT_ONCE = 2
WAITING = 16


class Passwords:
    """Lets a few checks run at once, off the event loop, a few wait, and turns the rest away."""

    def __init__(self, at_once: int = AT_ONCE, waiting: int = WAITING) -> None:
        self._turn = asyncio.Semaphore(at_once)
        self._room = at_once + waiting

    async def check(
        self, verify: Callable[[str | None, str], bool], stored: str | None, password: str
    ) -> bool:
        """Whether the password fits what is stored (None: there is no such user).

        Raises:
            ProblemError: busy.
        """
        if self._room <= 0:
            raise ProblemError("busy", "too many sign-ins at once; try again in a moment")
        self._room -= 1
        try:
            async with self._turn:
                return await asyncio.to_thread(verify, stored, password)
        finally:
            self._room += 1
