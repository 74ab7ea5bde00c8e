"""The rows of the event log in SQLite."""

import asyncio
from pathlib import Path

from collector.eventlog.sqlite_rows import Append, Writer, connect, entries, held_of
from wire.session import Held, Slice, Take


async def append(writer: Writer, node: str, batch: Slice) -> object:
    [answer] = writer.store([Append(node, "e", batch, b"{}", 0, asyncio.Future())])
    return answer


async def test_what_another_process_wrote_is_noticed_before_the_next_judgement(tmp_path: Path) -> None:
    """Two writers remember the same session; each sees what the other has added."""
    one, other = Writer(connect(tmp_path / "e.db")), Writer(connect(tmp_path / "e.db"))
    assert isinstance(await append(one, "n", Slice(0, "", (1,), ("a",))), Take)
    assert isinstance(await append(other, "n", Slice(1, "a", (2,), ("b",))), Take)
    assert await append(one, "n", Slice(2, "b", (3,), ("c",))) == Take(Held(3, "c"), 1, 0)

    assert [entry.position for entry in entries(one.db, 0, 9, 999)] == [1, 2, 3]
    assert held_of(other.db, "n", "e") == Held(3, "c")
    for writer in (one, other):
        writer.db.close()


async def test_a_group_larger_than_a_statement_is_one_transaction(tmp_path: Path) -> None:
    writer = Writer(connect(tmp_path / "e.db"))
    group = [Append(f"n{n}", "e", Slice(0, "", (1,), ("a",)), b"{}", 0, asyncio.Future()) for n in range(150)]

    assert all(isinstance(answer, Take) for answer in writer.store(group))
    assert writer.newest == 150
    assert len(entries(writer.db, 0, 999, 9999)) == 150
    writer.db.close()
