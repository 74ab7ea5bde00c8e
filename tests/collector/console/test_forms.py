from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from aiohttp import ClientSession

from collector.desk.identity import csrf_of
from collector.store import schema
from tests.browser.watch_room import PASSWORD, Room, a_node


def proof(session: ClientSession) -> str:
    """The token that every form of the session's pages carries."""
    return csrf_of(next(one.value for one in session.cookie_jar if one.key == "fengsui_session"))


async def send(session: ClientSession, path: str, **form: str) -> tuple[int, Mapping[str, str]]:
    sent = {"csrf": proof(session)} | form
    async with session.post(path, data=sent, allow_redirects=False) as answer:
        return answer.status, answer.headers


async def journal(room: Room) -> list[dict[str, Any]]:
    async with room.store.read() as conn:
        return [dict(row) for row in (await conn.exec_driver_sql("SELECT * FROM journal")).mappings()]


async def test_signing_in_leads_back_to_where_one_came_from(room: Room) -> None:
    await room.account("li", "duty", "li-na")
    form = {"name": "li", "password": PASSWORD, "back": "/exits"}
    async with (
        ClientSession(room.url) as session,
        session.post("/sign-in", data=form, allow_redirects=False) as answer,
    ):
        cookie = answer.headers["Set-Cookie"]

    assert (answer.status, answer.headers["Location"]) == (303, "/exits")
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Secure" not in cookie


async def test_behind_tls_the_cookie_never_travels_in_the_clear(room: Room) -> None:
    await room.account("li", "duty", "li-na")
    form, headers = {"name": "li", "password": PASSWORD}, {"X-Forwarded-Proto": "https"}
    async with (
        ClientSession(room.url) as session,
        session.post("/sign-in", data=form, headers=headers, allow_redirects=False) as answer,
    ):
        assert "Secure" in answer.headers["Set-Cookie"]


async def test_a_wrong_password_is_told_and_opens_nothing(room: Room) -> None:
    await room.account("li", "duty", "li-na")
    async with (
        ClientSession(room.url) as session,
        session.post("/sign-in", data={"name": "li", "password": "guess"}) as answer,
    ):
        page = await answer.text()

    assert answer.status == 403
    assert "Set-Cookie" not in answer.headers
    assert "Name and password do not fit." in page


async def test_who_guesses_on_is_told_how_long_to_wait(room: Room) -> None:
    await room.account("li", "duty", "li-na")
    room.clock.at = room.clock()
    async with ClientSession(room.url) as session:
        for _ in range(6):
            async with session.post("/sign-in", data={"name": "li", "password": "guess"}) as answer:
                assert answer.status == 403
        form = {"name": "li", "password": PASSWORD}
        async with session.post("/sign-in", data=form) as answer:
            page = await answer.text()

            assert (answer.status, answer.headers["Retry-After"]) == (429, "1")
            assert "Too many wrong tries. Try again in 1 s." in page
        room.clock.at += timedelta(seconds=1)
        async with session.post("/sign-in", data=form, allow_redirects=False) as answer:
            assert answer.status == 303


async def test_another_site_cannot_sign_one_in(room: Room) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}
    async with (
        ClientSession(room.url) as session,
        session.post("/sign-in", data={"name": "li", "password": PASSWORD}, headers=headers) as answer,
    ):
        assert answer.status == 403


async def test_who_signs_out_is_led_to_the_door(li: ClientSession) -> None:
    status, headers = await send(li, "/sign-out")
    async with li.get("/", allow_redirects=False) as after:
        assert (status, headers["Location"], after.status) == (303, "/sign-in", 303)


async def test_a_reader_chooses_their_language(li: ClientSession) -> None:
    async with li.post("/language", data={"language": "zh", "back": "/nodes"}) as page:
        assert '<html lang="zh-CN">' in await page.text()
    async with li.post("/language", data={"language": "tlh", "back": "//evil"}) as page:
        assert (page.url.path, '<html lang="zh-CN">' in await page.text()) == ("/", True)


async def test_a_deed_is_journaled_with_the_person_and_the_reason(room: Room, li: ClientSession) -> None:
    incident = await room.open()

    status, headers = await send(li, f"/incidents/{incident}/move", to="closed", reason="a test", back="/")

    assert (status, headers["Location"]) == (303, "/")
    [moved] = [entry for entry in await journal(room) if entry["action"] == "incident.moved"]
    assert moved["actor"] == "person:li-na"
    assert msgspec.json.decode(moved["detail"])["reason"] == "a test"


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"csrf": "guess", "to": "closed", "reason": "x"}, 403),
        ({"csrf": "", "to": "closed", "reason": "x"}, 403),
        ({"to": "reopened"}, 400),
        ({"to": "closed", "reason": " "}, 400),
        ({}, 400),
    ],
)
async def test_a_bad_form_changes_nothing(
    room: Room, li: ClientSession, form: dict[str, str], status: int
) -> None:
    incident = await room.open()

    answered, _ = await send(li, f"/incidents/{incident}/move", **form)

    assert answered == status
    assert "incident.moved" not in {entry["action"] for entry in await journal(room)}


async def test_a_form_of_another_kind_is_refused(room: Room, li: ClientSession) -> None:
    incident = await room.open()
    for sent in (
        {"json": {"to": "closed"}},
        {"data": b"\xff=%ff", "headers": {"Content-Type": "text/plain"}},
    ):
        async with li.post(f"/incidents/{incident}/move", **sent) as answer:  # type: ignore[arg-type]
            assert answer.status == 400


async def test_a_step_takes_what_its_form_asks_for_as_its_type(room: Room, li: ClientSession) -> None:
    incident = await room.open()
    await room.runner.work()
    async with room.store.read() as conn:
        run = (await conn.exec_driver_sql("SELECT id FROM runs")).scalar_one()
    path = f"/runs/{run}/steps/static-notice"

    bad, _ = await send(li, path, **{"out.confirmed": "true", "out.switched_at": "yesterday"})
    good, headers = await send(
        li,
        path,
        **{"out.confirmed": "true", "out.switched_at": "2026-03-02T09:30", "back": f"/incidents/{incident}"},
    )
    again, _ = await send(li, path, **{"out.confirmed": "true"})
    unknown, _ = await send(li, f"/runs/{run}/steps/nothing")

    async with room.store.read() as conn:
        out = (
            await conn.exec_driver_sql("SELECT out FROM run_steps WHERE step = 'static-notice'")
        ).scalar_one()
    assert (bad, good, again, unknown) == (400, 303, 409, 404)
    assert headers["Location"] == f"/incidents/{incident}"
    filled = msgspec.json.decode(out)
    assert (filled["confirmed"], filled["switched_at"]) == (True, "2026-03-02T09:30:00+08:00")


async def test_a_proposed_level_is_shown_as_such_and_confirmed_by_a_person(
    room: Room, li: ClientSession
) -> None:
    incident = await room.open()
    room.clock.at = room.clock() + timedelta(minutes=31)
    async with room.store.write() as conn:
        await room.casework.regrade(conn, incident, room.clock())
    async with li.get(f"/incidents/{incident}") as answer:
        page = await answer.text()
    assert "proposed, waits for confirmation" in page
    assert 'name="level" value="III"' in page

    status, _ = await send(li, f"/incidents/{incident}/confirm", level="III")
    again, _ = await send(li, f"/incidents/{incident}/confirm", level="III")
    async with li.get(f"/incidents/{incident}") as answer:
        page = await answer.text()
    assert (status, again) == (303, 409)
    assert "proposed, waits for confirmation" not in page
    assert "confirmed by" in page
    graded = [row for row in await journal(room) if row["action"] == "incident.graded"]
    assert graded[-1]["actor"] == "person:li-na"


async def test_a_person_corrects_a_fact_and_a_time_in_the_zone_of_the_unit(
    room: Room, li: ClientSession
) -> None:
    incident = await room.open()
    path, why = f"/incidents/{incident}/correct", "looked again"
    async with li.get(f"/incidents/{incident}") as answer:
        page = await answer.text()
    assert '<option value="significant">significant (significant)</option>' in page

    assert (await send(li, path, name="significant", value="true", reason=why))[0] == 303
    assert (await send(li, path, name="aware", value="2026-03-02T09:10", reason=why))[0] == 303
    for form in (
        {"name": "aware", "value": "noon", "reason": why},
        {"name": "reposts", "value": "many", "reason": why},
        {"name": "significant", "value": "true"},
    ):
        assert (await send(li, path, **form))[0] == 400
    assert (await send(li, "/incidents/nothing/correct", name="major", value="true", reason=why))[0] == 404
    async with room.store.read() as conn:
        facts, times = (
            await conn.execute(sa.select(schema.incidents.c.facts, schema.incidents.c.times))
        ).one()
    assert facts["significant"] is True
    assert times["aware"].startswith("2026-03-02T09:10:00+08:00")


async def test_a_clock_past_due_by_a_jump_is_confirmed_as_missed_by_a_person(
    room: Room, li: ClientSession
) -> None:
    incident = await room.open()
    async with room.store.write() as conn:
        await conn.execute(
            sa.update(schema.clocks)
            .where(schema.clocks.c.incident == incident)
            .values(state="open", due_at=room.clock() - timedelta(minutes=1), doubted_at=room.clock())
        )
        key = (await conn.execute(sa.select(schema.clocks.c.id))).scalar_one()
    async with li.get(f"/incidents/{incident}") as answer:
        assert "overdue, to be confirmed" in await answer.text()

    assert (await send(li, f"/incidents/{incident}/confirm", clock=key))[0] == 303
    assert (await send(li, f"/incidents/{incident}/confirm"))[0] == 400
    async with room.store.read() as conn:
        rows = (await conn.execute(sa.select(schema.clocks.c.state, schema.clocks.c.doubted_at))).all()
    assert [tuple(row) for row in rows] == [("overdue", None)]


async def test_an_order_from_the_form_is_only_looked_at_unless_it_is_ticked(
    room: Room, li: ClientSession
) -> None:
    node = a_node(room.clock())
    await room.insert(schema.nodes, node)
    path = f"/nodes/{node['id']}/orders"
    block = {"kind": "block_address", "params": '{"address": "203.0.113.9"}'}

    looked = await send(li, path, **block)
    done = await send(li, path, **block, really="yes", reason="attack")

    assert (looked[0], done[0], done[1]["Location"]) == (303, 303, f"/nodes/{node['id']}")
    async with room.store.read() as conn:
        rows = (await conn.execute(sa.select(schema.orders).order_by(schema.orders.c.id))).mappings().all()
    assert [(row["dry_run"], row["params"]) for row in rows] == [
        (True, {"address": "203.0.113.9"}),
        (False, {"address": "203.0.113.9"}),
    ]


@pytest.mark.parametrize(
    "form",
    [
        {"kind": "run_shell"},
        {"kind": "block_address", "params": "not json"},
        {"kind": "block_address", "params": "[]"},
        {"kind": "block_address", "params": '{"address": "all"}'},
        {"kind": "isolate_node", "really": "yes"},
    ],
)
async def test_a_wrong_order_from_the_form_is_refused(
    room: Room, li: ClientSession, form: dict[str, str]
) -> None:
    node = a_node(room.clock())
    await room.insert(schema.nodes, node)

    status, _ = await send(li, f"/nodes/{node['id']}/orders", **form)

    assert status == 400
