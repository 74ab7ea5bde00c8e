"""What a person may do about a report, and on whose."""

import pytest

from collector.desk import Principal, ProblemError
from collector.desk.filings import MAX_ATTACHMENT_BYTES, hand_in, media_type, read_reports, write_report
from collector.desk.papers import Handed
from tests.browser.watch_room import Room

LI = Principal(actor="person:li-na", name="li", role="duty", person="li-na")
WU = Principal(actor="person:wu-hao", name="wu", role="duty", person="wu-hao")
SEES = Principal(actor="user:v", name="v", role="viewer")


async def test_a_person_writes_and_files_what_their_unit_owes(room: Room) -> None:
    incident, now = await room.open(), room.clock()
    (report, *_) = await read_reports(room.desk, LI, incident, now=now)
    await write_report(
        room.desk,
        LI,
        incident,
        report.clock,
        texts={2: "首页被替换"},
        ransom=None,
        handed=Handed(number="12387-1"),
        now=room.clock(),
    )
    (filed, *_) = await read_reports(room.desk, LI, incident, now=room.clock())

    assert (filed.filing_state, filed.version) == ("receipted", 1)


async def test_a_refused_filing_keeps_no_draft_either(room: Room) -> None:
    incident, now = await room.open(), room.clock()
    (report, *_) = await read_reports(room.desk, LI, incident, now=now)
    with pytest.raises(ProblemError, match="neither a number") as told:
        await write_report(
            room.desk, LI, incident, report.clock, texts={2: "…"}, ransom=None, handed=Handed(), now=now
        )
    (after, *_) = await read_reports(room.desk, LI, incident, now=now)

    assert (told.value.kind, after.version) == ("conflict", 0)


async def test_reports_of_another_unit_are_not_there_and_viewers_only_read(room: Room) -> None:
    incident, now = await room.open(), room.clock()
    for key in (incident, "nothing"):
        with pytest.raises(ProblemError) as told:
            await read_reports(room.desk, WU, key, now=now)
        assert told.value.kind == "not-found"
    (report, *_) = await read_reports(room.desk, SEES, incident, now=now)
    with pytest.raises(ProblemError) as told:
        await write_report(
            room.desk, SEES, incident, report.clock, texts={}, ransom=None, handed=None, now=now
        )
    assert told.value.kind == "forbidden"


async def test_a_proof_is_a_picture_or_a_pdf_of_bounded_size(room: Room) -> None:
    incident, now = await room.open(), room.clock()
    kept = await hand_in(room.desk, LI, incident, '../fax".pdf', b"%PDF-1.4", now=now)
    assert (kept.name, kept.media_type, kept.size) == ("..fax.pdf", "application/pdf", 8)

    for body, kind in ((b"<html>", "malformed"), (b"%PDF-" + bytes(MAX_ATTACHMENT_BYTES), "too-large")):
        with pytest.raises(ProblemError) as told:
            await hand_in(room.desk, LI, incident, "x", body, now=now)
        assert told.value.kind == kind
    assert media_type(b"\xff\xd8\xff\xe0") == "image/jpeg"


async def test_a_text_without_end_is_refused(room: Room) -> None:
    with pytest.raises(ProblemError) as told:
        await write_report(
            room.desk, LI, "i", "k", texts={1: "字" * 20_001}, ransom=None, handed=None, now=room.clock()
        )
    assert told.value.kind == "too-large"
