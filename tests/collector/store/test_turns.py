import asyncio
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from collector.store.turns import Turns


class Hall:
    """Writers who came while one wrote; `went` is the order in which they had their turns."""

    def __init__(self) -> None:
        self.turns = Turns()
        self.went: list[str] = []
        self.inside = self.most = 0
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def write(self, name: str) -> None:
        async with self.turns.turn(ahead=name.startswith("P")):
            self.inside += 1
            self.most = max(self.most, self.inside)
            self.went.append(name)
            try:
                await asyncio.sleep(0)
            finally:
                self.inside -= 1

    async def come(self, names: Sequence[str]) -> None:
        for name in names:
            self.tasks[name] = asyncio.get_running_loop().create_task(self.write(name))
        await asyncio.sleep(0)

    async def ended(self) -> None:
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)


async def test_who_goes_ahead_waits_for_one_other_at_most_and_nobody_for_ever() -> None:
    hall = Hall()
    await hall.come(["x", "a", "b", "c", "d", "P1", "P2"])
    await hall.ended()

    assert hall.went == ["x", "P1", "a", "P2", "b", "c", "d"]


async def test_alone_in_its_queue_it_is_first_come_first_served() -> None:
    hall = Hall()
    await hall.come(["P1", "P2", "P3"])
    await hall.ended()

    assert hall.went == ["P1", "P2", "P3"]


async def test_a_turn_is_given_back_by_who_fails_in_it() -> None:
    hall = Hall()

    async def fail() -> None:
        async with hall.turns.turn(ahead=False):
            await hall.come(["a"])
            raise ValueError

    assert isinstance((await asyncio.gather(fail(), return_exceptions=True))[0], ValueError)
    await hall.ended()
    assert hall.went == ["a"]


NAMES = st.lists(st.sampled_from(["P", "o"]), min_size=1, max_size=12).map(
    lambda kinds: [f"{kind}{number}" for number, kind in enumerate(kinds)]
)


@settings(max_examples=50, deadline=None)
@given(NAMES, st.sets(st.integers(0, 11)), st.integers(0, 8))
def test_whoever_is_cancelled_whenever_everybody_else_has_a_turn(
    names: list[str], cancelled: set[int], steps: int
) -> None:
    async def scene() -> Hall:
        hall = Hall()
        await hall.come(names)
        for _ in range(steps):
            await asyncio.sleep(0)
        for number in cancelled & set(range(len(names))):
            hall.tasks[names[number]].cancel()
        await hall.ended()
        await hall.come(["last"])
        await hall.ended()
        return hall

    hall = asyncio.run(scene())
    stayed = {name for number, name in enumerate(names) if number not in cancelled}
    assert stayed | {"last"} <= set(hall.went)
    assert hall.most == 1
