"""A report in the browser: read, written, sent up, or recorded with its proof."""

from typing import Any

from aiohttp import ClientSession, FormData

from collector.store import schema
from tests.browser.watch_room import Room, a_received, mailed
from tests.collector.console.test_forms import journal, proof
from tests.collector.desk.test_answers import OURS, delivery_status, reply

PDF = b"%PDF-1.7 confirmation"


async def owed(room: Room) -> str:
    """The page of the first report that a new incident owes."""
    incident = await room.open()
    async with room.store.read() as conn:
        reports = await room.desk.filings.reports(conn, incident, room.clock())
    return f"/incidents/{incident}/reports/{reports[0].clock}"


async def send(session: ClientSession, path: str, body: bytes = b"", **fields: str) -> tuple[int, str]:
    form = FormData(default_to_multipart=True)
    for name, value in ({"csrf": proof(session)} | fields).items():
        form.add_field(name.replace("__", "."), value)
    if body:
        form.add_field("attachment", body, filename="fax.pdf", content_type="application/pdf")
    async with session.post(path, data=form, allow_redirects=False) as answer:
        return answer.status, answer.headers.get("Location") or await answer.text()


async def text(session: ClientSession, path: str, language: str = "en") -> str:
    async with session.get(path, cookies={"fengsui_language": language}) as answer:
        assert answer.status == 200
        return await answer.text()


async def filings(room: Room) -> list[dict[str, Any]]:
    async with room.store.read() as conn:
        return [dict(row) for row in (await conn.exec_driver_sql("SELECT * FROM filings")).mappings()]


async def test_the_page_says_item_by_item_what_is_known_and_what_is_open(
    room: Room, li: ClientSession
) -> None:
    page = await text(li, await owed(room))
    chinese = await text(li, await owed(room), "zh")

    assert "home page tampered with since" in page
    assert "required now" in page
    assert "open: measures taken and their effect" in page
    assert "待补:已采取的措施及效果" in chinese


async def test_words_are_kept_as_a_draft_and_close_the_item(room: Room, li: ClientSession) -> None:
    path = await owed(room)
    status, place = await send(li, path, item__3="断开网站 <b>")
    page = await text(li, path)

    assert (status, place) == (303, path)
    assert "断开网站 &lt;b&gt;" in page
    assert "measures taken and their effect" not in page
    assert await filings(room) == []


async def test_a_phone_call_is_recorded_with_number_time_and_proof(room: Room, li: ClientSession) -> None:
    path = await owed(room)
    status, place = await send(li, path, PDF, deed="person", medium="phone", number="12387-0042")
    page = await text(li, path)

    assert (status, place) == (303, path.partition("/reports/")[0])
    (filing,) = await filings(room)
    assert (filing["way"], filing["state"]) == ("person", "receipted")
    assert "Filed. What is new goes into the supplement." in page
    assert "attachment.added" in {row["action"] for row in await journal(room)}


async def test_what_goes_up_is_queued(room: Room, li: ClientSession) -> None:
    path = await owed(room)
    await send(li, path, deed="upstream")
    (filing,) = await filings(room)

    assert (filing["way"], filing["state"]) == ("upstream", "waiting")
    assert "Send to the collector above" not in await text(li, path)


async def test_what_cannot_be_is_told_and_changes_nothing(room: Room, li: ClientSession) -> None:
    path = await owed(room)
    for fields, expected in (
        ({"deed": "person"}, 409),
        ({"deed": "person", "number": "1", "filed_at": "yesterday"}, 400),
        ({"deed": "person", "number": "1", "medium": "pigeon"}, 400),
        ({"deed": "person", "number": "1", "filed_at": "2126-03-02T09:00"}, 409),
        ({"deed": "save", "item.1": "字" * 30_000}, 413),
        ({"csrf": "stolen"}, 403),
    ):
        status, _ = await send(li, path, **fields)
        assert status == expected, fields
    assert (await send(li, path, b"<html>", deed="person", number="1"))[0] == 400
    assert (await send(li, f"{path}x"))[0] == 404
    async with li.post(path, data={"csrf": proof(li)}) as answer:
        assert answer.status == 400
    assert await filings(room) == []


async def test_the_authority_above_reads_the_report_item_by_item(room: Room, li: ClientSession) -> None:
    incident = await room.open()
    async with room.store.read() as conn:
        reports = await room.desk.filings.reports(conn, incident, room.clock())
    payload = {"content": reports[0].statement.content()}
    await room.insert(schema.received_filings, a_received(room.clock(), payload=payload))
    page = await text(li, "/received/1")

    assert "home page tampered with since" in page
    assert "open: measures taken and their effect" in page


async def test_a_mail_is_shown_before_an_officer_confirms_what_it_says(room: Room, li: ClientSession) -> None:
    incident = await room.open()
    clock, identity = await mailed(room, incident)
    path = f"/incidents/{incident}/reports/{clock}"
    body = reply("收到 <b>").replace(OURS.encode(), identity.encode())
    status, place = await send(li, path, body, deed="answer")
    shown = place.partition("#")[0]
    page, chinese = await text(li, shown), await text(li, shown, "zh")

    assert (status, shown.partition("?answer=")[0]) == (303, path)
    assert "收到 &lt;b&gt;" in page
    assert "from desk@authority.example, as it says; nothing proves who wrote it" in page
    assert "确认已送达" in chinese
    assert [row["state"] for row in await filings(room)] == ["sent"]

    status, _ = await send(li, path, deed="confirm", answer=shown.partition("?answer=")[2])
    assert (status, [row["state"] for row in await filings(room)]) == (303, ["receipted"])


async def test_a_mail_that_came_back_is_recorded_and_one_about_another_mail_refused(
    room: Room, li: ClientSession
) -> None:
    incident = await room.open()
    clock, identity = await mailed(room, incident)
    path = f"/incidents/{incident}/reports/{clock}"
    assert (await send(li, path, delivery_status("failed"), deed="answer"))[0] == 409
    assert (await send(li, path, b"<html>", deed="answer"))[0] == 400
    assert (await send(li, path, deed="answer"))[0] == 400

    body = delivery_status("failed").replace(OURS.encode(), identity.encode())
    _, place = await send(li, path, body, deed="answer")
    page = await text(li, place.partition("#")[0])
    assert "5.1.1 550 no such user" in page
    assert "Record that it came back" in page
    await send(li, path, deed="confirm", answer=place.partition("#")[0].partition("?answer=")[2])
    assert [row["state"] for row in await filings(room)] == ["refused"]
    assert "mail came back" in await text(li, f"/incidents/{incident}")
