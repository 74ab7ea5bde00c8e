"""Reports by the API: a program reads what is owed, hands in proof and files."""

from collections.abc import Awaitable, Callable
from io import BytesIO
from typing import Any

from aiohttp import ClientSession

from collector.desk.filings import MAX_ATTACHMENT_BYTES
from tests.browser.watch_room import Room, mailed
from tests.collector.desk.test_answers import OURS, delivery_status, reply

Ask = Callable[..., Awaitable[tuple[int, Any]]]
PROOF = b"%PDF-1.7 confirmation"


async def test_a_report_is_written_then_filed_with_its_proof(room: Room, ask: Ask) -> None:
    path = f"/api/v1/incidents/{await room.open()}"
    _, owed = await ask(f"{path}/filings")
    clock = owed["items"][0]["clock"]
    status, drafted = await ask(
        f"{path}/filings", "POST", json={"clock": clock, "items": {"2": "首页被替换"}}
    )
    assert (status, drafted["items"][0]["version"], drafted["items"][0]["filing"]) == (200, 1, None)

    _, proof = await ask(f"{path}/attachments?name=fax.pdf", "POST", data=PROOF)
    submit = {"way": "person", "medium": "fax", "attachment": proof["id"]}
    status, filed = await ask(f"{path}/filings", "POST", json={"clock": clock, "submit": submit})
    assert (status, filed["items"][0]["filing_state"]) == (200, "receipted")
    status, again = await ask(f"{path}/filings", "POST", json={"clock": clock, "submit": submit})
    assert (status, again["type"]) == (409, "urn:fengsui:problem:conflict")


async def test_a_proof_comes_back_as_it_was_handed_in_and_only_as_a_download(room: Room) -> None:
    path = f"{room.url}/api/v1/incidents/{await room.open()}/attachments"
    headers = {"Authorization": f"Bearer {await room.token('duty')}"}
    async with ClientSession(headers=headers) as session:
        async with session.post(f"{path}?name=传真.pdf", data=PROOF) as answer:
            key = (await answer.json())["id"]
        async with session.get(f"{path}/{key}") as answer:
            body, told = await answer.read(), answer.headers
        async with session.get(f"{path}/nothing") as answer:
            assert answer.status == 404

    assert body == PROOF
    assert told["Content-Disposition"].startswith("attachment; filename*=UTF-8''%E4%BC%A0")
    assert told["X-Content-Type-Options"] == "nosniff"


async def test_a_proof_without_end_is_cut_off(room: Room, ask: Ask) -> None:
    path = f"/api/v1/incidents/{await room.open()}/attachments"
    status, problem = await ask(path, "POST", data=BytesIO(b"%PDF-" + bytes(MAX_ATTACHMENT_BYTES)))

    assert (status, problem["type"]) == (413, "urn:fengsui:problem:too-large")


async def test_an_incident_that_is_not_there_owes_nothing(ask: Ask) -> None:
    status, _ = await ask("/api/v1/incidents/nothing/filings")

    assert status == 404


async def test_an_incident_comes_as_a_document_of_every_kind(room: Room, ask: Ask) -> None:
    path = f"/api/v1/incidents/{await room.open()}/documents"
    headers = {"Authorization": f"Bearer {await room.token('viewer')}"}
    async with ClientSession(room.url, headers=headers) as session:
        for kind, start in {"docx": b"PK", "pdf": b"%PDF-", "iodef": b"{", "ocsf": b"{"}.items():
            async with session.get(f"{path}/{kind}?language=zh") as answer:
                assert (await answer.read()).startswith(start), kind
                assert f"{kind}" in answer.headers["Content-Disposition"]
    status, problem = await ask(f"{path}/odt")
    assert (status, problem["type"]) == (409, "urn:fengsui:problem:conflict")
    assert (await ask("/api/v1/incidents/nothing/documents/pdf"))[0] == 404


async def test_the_answer_to_a_mailed_report_is_looked_at_and_confirmed(room: Room, ask: Ask) -> None:
    incident = await room.open()
    path, (clock, identity) = f"/api/v1/incidents/{incident}", await mailed(room, incident)
    body = reply().replace(OURS.encode(), identity.encode())
    _, kept = await ask(f"{path}/attachments?name=answer.eml", "POST", data=body)
    assert kept["media_type"] == "message/rfc822"
    status, answer = await ask(f"{path}/attachments/{kept['id']}/answer?clock={clock}")
    assert (status, answer["outcome"], answer["refers"]) == (200, "arrived", [identity])

    submit = {"way": "answer", "attachment": kept["id"]}
    status, filed = await ask(f"{path}/filings", "POST", json={"clock": clock, "submit": submit})
    (report,) = [one for one in filed["items"] if one["clock"] == clock]
    assert (status, report["filing_state"], report["state"]) == (200, "receipted", "met")


async def test_an_answer_to_another_mail_proves_nothing(room: Room, ask: Ask) -> None:
    incident = await room.open()
    path, (clock, _) = f"/api/v1/incidents/{incident}", await mailed(room, incident)
    _, kept = await ask(f"{path}/attachments", "POST", data=delivery_status("failed"))
    submit = {"way": "answer", "attachment": kept["id"]}

    for status, problem in (
        await ask(f"{path}/attachments/{kept['id']}/answer?clock={clock}"),
        await ask(f"{path}/filings", "POST", json={"clock": clock, "submit": submit}),
    ):
        assert (status, "expected one to <0001@district.example>" in problem["detail"]) == (409, True)
