import doctest
from datetime import timedelta

import pytest
from aiohttp import ClientSession, CookieJar
from msgspec import to_builtins
from yarl import URL

from collector.console import pages
from collector.console.pages import LANGUAGE_COOKIE
from collector.exposure.reasons import reason as verdict_reason
from collector.store import journal, schema
from tests.browser.watch_room import PASSWORD, Room, a_day, a_node, a_received, an_exit, with_orders


async def text(session: ClientSession, path: str) -> str:
    async with session.get(path) as answer:
        assert answer.status == 200, path
        return await answer.text()


def test_a_way_back_never_leads_off_this_site() -> None:
    assert doctest.testmod(pages).failed == 0
    for back in ("javascript:alert(1)", "/\\evil", "//evil", "/a\nb", "/" + "a" * 600):
        assert pages.local_path(back) == "/"


@pytest.mark.parametrize(
    "path",
    ["/", "/incidents/x", "/nodes", "/nodes/x", "/exits", "/exits/register", "/received"],
)
async def test_who_is_not_signed_in_is_led_to_the_door(room: Room, path: str) -> None:
    async with ClientSession(room.url) as session, session.get(path, allow_redirects=False) as answer:
        assert answer.status == 303
        assert answer.headers["Location"].startswith("/sign-in?back=")


async def test_the_board_shows_due_time_zone_and_rule_of_every_clock(room: Room, li: ClientSession) -> None:
    await room.open()

    page = await text(li, "/")

    assert "house target, not law" in page
    assert "cn-informatization/report" in page
    assert "UTC+8" in page
    assert "becomes level III" in page
    assert "<title>(1) Incidents" in page


async def test_a_hole_in_the_roster_is_in_plain_sight_in_both_languages(
    room: Room, li: ClientSession
) -> None:
    hole = {"finding": "roster_hole", "what": "nobody is registered as duty of district"}
    entry = journal.Entry(actor="system", action="audit.finding", subject="unit:district", detail=hole)
    await room.store.run(lambda connection: journal.write(connection, entry, room.clock()))

    page = await text(li, "/")
    assert "the roster has a hole · nobody is registered as duty of district" in page
    li.cookie_jar.update_cookies({pages.LANGUAGE_COOKIE: "zh"}, URL(room.url))
    page = await text(li, "/")
    assert "值班表有空缺 · district 没有登记 duty 人员" in page


async def test_a_year_that_nobody_decreed_stands_there_until_it_is(room: Room, li: ClientSession) -> None:
    year = {"region": "CN", "year": room.clock().year, "source": "s", "filled_at": room.clock()}
    assert "nobody has decreed" not in await text(li, "/")
    await room.insert(schema.calendar_year, year | {"confirmed": False})

    page = await text(li, "/")
    assert f"CN {room.clock().year}" in page
    assert "until fengsui-collector calendar import FILE takes them in" in page
    li.cookie_jar.update_cookies({pages.LANGUAGE_COOKIE: "zh"}, URL(room.url))
    assert "尚未公布放假安排的工作日历" in await text(li, "/")


async def test_what_is_due_first_stands_on_top(room: Room, li: ClientSession) -> None:
    later, now = await room.open(), room.clock()
    room.clock.at = now - timedelta(minutes=20)
    sooner = await room.open()
    room.clock.at = None

    page = await text(li, "/")

    assert page.index(sooner) < page.index(later)


async def test_a_case_shows_level_reasons_plan_filing_and_journal(room: Room, li: ClientSession) -> None:
    node = a_node(room.clock())
    await room.insert(schema.nodes, node)
    incident = await room.open(node=node["id"])
    await room.runner.work()

    page = await text(li, f"/incidents/{incident}")

    for words in (
        "homepage_tampered.III",
        "Confirm the tampering and switch to the static notice",
        "portal-1",
        "Level and why",
        "李娜",
        "waiting",
        "incident opened",
        "grade 3, supervised",
    ):
        assert words in page, words


async def test_what_reports_say_is_never_markup(room: Room, li: ClientSession) -> None:
    evil = "<img src=x onerror=alert(1)>"
    incident = await room.open(title=evil, title_en=evil, facts={evil: evil}, evidence=({evil: {"a": evil}},))

    for path in ("/", f"/incidents/{incident}"):
        page = await text(li, path)
        assert evil not in page
        assert "&lt;img" in page


async def test_incidents_of_other_units_are_not_there(room: Room, li: ClientSession) -> None:
    other = await room.open(unit="city", asset="city-platform")

    assert other not in await text(li, "/")
    async with li.get(f"/incidents/{other}") as answer:
        assert answer.status == 404


async def test_nodes_exits_and_received_reports_are_shown(room: Room, li: ClientSession) -> None:
    now = room.clock()
    node = a_node(
        now, last_seen=now - timedelta(hours=1), findings=[{"kind": "grade_differs", "declared": 2}]
    )
    await room.insert(schema.nodes, node)
    await room.insert(
        schema.exits, an_exit(node["id"], now, verdict="used", evidence=[{"remote": "203.0.113.7:443"}])
    )
    await room.insert(schema.received_filings, a_received(now))

    nodes, exits, received = [await text(li, path) for path in ("/nodes", "/exits", "/received")]

    assert "silent" in nodes
    assert "declared grade differs from the register" in nodes
    assert "unsanctioned exit used" in exits
    assert "203.0.113.7:443" in exits
    assert "no. 1" in received
    assert "complete" in await text(li, "/received/1")


async def test_the_exit_register_shows_that_the_number_goes_down(room: Room, li: ClientSession) -> None:
    now = room.clock()
    first = a_day("district", "2026-03-01", now, outside=7, unsanctioned=4, observed=5)
    last = a_day("district", "2026-03-09", now, outside=3, behind=9, observed=2) | {"share": 0.75}
    await room.insert(schema.exit_days, first, last)

    page = await text(li, "/exits/register")

    assert "75 %" in page
    assert "-4" in page
    assert '<path class="line outside"' in page
    assert "No way to the internet" in await text(li, "/exits")


async def test_long_lists_go_on_on_another_page(
    room: Room, li: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "ROWS", 2)
    now = room.clock()
    await room.insert(schema.nodes, *(a_node(now, host_name=f"host-{n}") for n in range(3)))
    await room.insert(schema.exits, *(an_exit("n", now, key=f"way {n}", link=f"eth{n}") for n in range(3)))
    await room.insert(schema.received_filings, *(a_received(now) for _ in range(3)))

    for path in ("/nodes", "/exits", "/received"):
        first = await text(li, path)
        more = first.partition('class="pager"><a href="')[2].partition('"')[0].replace("&amp;", "&")
        assert more, path
        assert 'class="pager"' not in await text(li, more)


@pytest.mark.parametrize(
    "path", ["/incidents/%00", "/received/0x1", "/received/99999999999999999999", "/nodes?after=%00"]
)
async def test_an_address_that_cannot_be_is_not_found(li: ClientSession, path: str) -> None:
    async with li.get(path) as answer:
        assert answer.status == 404


async def test_a_viewer_sees_no_buttons(room: Room) -> None:
    await room.account("eye", "viewer")
    incident = await room.open()
    async with ClientSession(room.url, cookie_jar=CookieJar(unsafe=True)) as session:
        await session.post("/sign-in", data={"name": "eye", "password": PASSWORD})
        for path in ("/", f"/incidents/{incident}"):
            assert "/move" not in await text(session, path)


async def test_a_node_shows_its_orders_and_hands_out_proved_evidence(room: Room, li: ClientSession) -> None:
    failed = {"kind": "update_rolled_back", "version": "0.2.0", "why": "no answer"}
    node = a_node(room.clock(), findings=[failed])
    await room.insert(schema.nodes, node)
    order = await with_orders(room, node["id"], room.clock())
    fact = {"node": node["id"], "observed_at": room.clock(), "received_at": room.clock()}
    gap = {"kind": "incident", "count": 12, "why": "inotify queue ran over"}
    said = {"gap:files": gap, "gap": {"count": {}, "why": None}, "asset": {"why": "no gap"}}
    for kind, body in said.items():
        await room.insert(schema.node_facts, {**fact, "kind": kind, "body": body})

    page = await text(li, f"/nodes/{node['id']}")

    assert all(word in page for word in ("refused", "expired", "only looked at", "proved", "Give the order"))
    assert all(word in page for word in ("What it could not see", "inotify queue ran over", "12 incident"))
    assert "no gap" not in page
    assert "the agent&#39;s update was taken back: version 0.2.0 · reason no answer" in page
    assert await text(li, f"/nodes/{node['id']}/evidence/{order}") == "{}"
    async with li.get("/nodes/nobody") as answer:
        assert answer.status == 404


async def test_what_a_node_says_is_chinese_on_a_chinese_page_and_what_it_saw_stays(
    room: Room, li: ClientSession
) -> None:
    li.cookie_jar.update_cookies({LANGUAGE_COOKIE: "zh"}, URL(room.url))
    now = room.clock()
    failed = {"kind": "update_rolled_back", "why": "no collector answered the new release within 180 s."}
    node = a_node(now, findings=[failed])
    await room.insert(schema.nodes, node)
    await with_orders(room, node["id"], now, why="its deadline had passed before its turn came")
    gap = {"kind": "incident", "count": None, "why": "table changed during 4 dumps of type 26"}
    fact = {"node": node["id"], "observed_at": now, "received_at": now}
    await room.insert(schema.node_facts, {**fact, "kind": "gap:exits", "body": gap})
    reason = to_builtins(verdict_reason("default_route"))
    seen = {"reasons": [reason], "seen": [{"process": "no answer", "why": "no answer"}]}
    await room.insert(schema.exits, an_exit(node["id"], now, verdict="used", evidence=seen))

    page, exits = await text(li, f"/nodes/{node['id']}"), await text(li, "/exits")

    assert "读取类型 26 的表 4 次，每次其间都有变化" in page
    assert "轮到该指令时期限已过" in page
    assert "180 秒内没有采集端应答新版本。" in page
    assert "判定理由" in exits
    assert "定级理由" not in exits
    assert "a default route" not in exits
    assert "<code>no answer</code>" in exits
    assert "没有应答" in exits


async def test_who_may_only_read_gives_no_orders(room: Room) -> None:
    node = a_node(room.clock())
    await room.insert(schema.nodes, node)
    await room.account("gu", "viewer", "li-na")
    async with ClientSession(room.url, cookie_jar=CookieJar(unsafe=True)) as gu:
        async with gu.post("/sign-in", data={"name": "gu", "password": PASSWORD}) as answer:
            assert answer.status == 200
        assert "Give the order" not in await text(gu, f"/nodes/{node['id']}")
