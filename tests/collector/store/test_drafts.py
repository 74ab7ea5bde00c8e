"""What persons write for a report, and the proof they hand in."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

from collector.statement import Ransom
from collector.store import journal
from collector.store.clocks import Clock, clocks_of
from collector.store.drafts import add_attachment, attachment_bytes, draft_of, get_attachment, save_draft

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from collector.store.engine import Store
    from tests.conftest import Office

NINE = datetime(2026, 3, 2, 1, tzinfo=UTC)


async def owed(conn: "AsyncConnection", office: "Office") -> Clock:
    key = await office.casework.open(conn, office.finding(NINE), NINE, NINE)
    return next(clock for clock in await clocks_of(conn, [key]) if clock.stage == "report")


async def test_words_keep_who_wrote_them_until_they_change(state: "Store", office: "Office") -> None:
    async with state.write() as conn:
        clock = await owed(conn, office)
        await save_draft(conn, clock, texts={1: "甲", 2: "乙"}, ransom=None, actor="person:wang", now=NINE)
        later = NINE + timedelta(minutes=1)
        draft = await save_draft(
            conn, clock, texts={1: "甲", 2: "丙"}, ransom=Ransom(amount="5"), actor="person:zhao", now=later
        )

    assert [draft.written[number].by for number in (1, 2)] == ["person:wang", "person:zhao"]
    assert (draft.ransom, draft.version) == (Ransom(amount="5"), 2)


async def test_empty_words_are_taken_away_and_unnamed_items_stay(state: "Store", office: "Office") -> None:
    async with state.write() as conn:
        clock = await owed(conn, office)
        await save_draft(conn, clock, texts={1: "甲", 2: "乙"}, ransom=None, actor="user:a", now=NINE)
        await save_draft(conn, clock, texts={1: " "}, ransom=None, actor="user:a", now=NINE)
        draft = await draft_of(conn, clock)

    assert list(draft.written) == [2]


async def test_saving_what_is_there_already_changes_nothing(sqlite_state: "Store", office: "Office") -> None:
    async with sqlite_state.write() as conn:
        clock = await owed(conn, office)
        first = await save_draft(conn, clock, texts={1: "甲"}, ransom=None, actor="user:a", now=NINE)
        again = await save_draft(conn, clock, texts={1: "甲"}, ransom=None, actor="user:b", now=NINE)
        told = [
            row for row in await journal.of_incident(conn, clock.incident) if row.action == "filing.drafted"
        ]

    assert again == first
    assert [row.detail["items"] for row in told] == [[1]]


async def test_a_supplement_begins_with_what_was_written_for_the_first_report(
    sqlite_state: "Store", office: "Office"
) -> None:
    async with sqlite_state.write() as conn:
        clock = await owed(conn, office)
        await save_draft(conn, clock, texts={1: "甲"}, ransom=None, actor="user:a", now=NINE)
        supplement = await draft_of(conn, replace(clock, id="another", stage="supplement"))
        other = await draft_of(conn, replace(clock, id="another", content=["something else"]))

    assert (supplement.written[1].text, supplement.version) == ("甲", 0)
    assert other.written == {}


async def test_a_proof_is_kept_once_with_its_digest(state: "Store", office: "Office") -> None:
    async with state.write() as conn:
        clock = await owed(conn, office)
        values = {"name": "fax.pdf", "media_type": "application/pdf", "body": b"%PDF", "actor": "user:a"}
        first = await add_attachment(conn, clock.incident, now=NINE, **values)
        again = await add_attachment(conn, clock.incident, now=NINE, **values)
        assert again == first
        assert await get_attachment(conn, clock.incident, first.id) == first
        assert await get_attachment(conn, "another", first.id) is None
        assert await attachment_bytes(conn, first.id) == b"%PDF"
        told = [
            row for row in await journal.of_incident(conn, clock.incident) if row.action == "attachment.added"
        ]

    assert [row.detail["sha256"] for row in told] == [first.sha256]
