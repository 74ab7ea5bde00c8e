import asyncio
import threading

import pytest

from collector.desk.password import Passwords
from collector.desk.problem import ProblemError


async def test_a_flood_of_guesses_is_turned_away_and_the_desk_goes_on() -> None:
    passwords, held = Passwords(at_once=1, waiting=1), threading.Event()

    def slow(stored: str | None, password: str) -> bool:
        held.wait(10)
        return stored == password

    first = asyncio.gather(passwords.check(slow, "a", "a"), passwords.check(slow, "a", "b"))
    await asyncio.sleep(0)
    with pytest.raises(ProblemError, match="too many sign-ins"):
        await passwords.check(slow, "a", "a")
    held.set()

    assert await first == [True, False]
    assert await passwords.check(slow, "a", "a")
