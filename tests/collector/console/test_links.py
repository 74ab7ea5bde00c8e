"""The page behind a link, over real HTTP: scanners open it as often as they like, a person presses once."""

from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import TestServer
from msgspec.structs import replace

from collector import console
from collector.desk import Desk, make_application
from collector.desk.acknowledging import link_of
from collector.store import journal
from collector.store.incidents import Incident, get_incident
from collector.store.notices import Notice, notices_of
from collector.trust.links import Links
from tests.browser.watch_room import Room

PRESS = {"confirm": "yes"}


class Phone:
    """A person's phone with a notice on it."""

    def __init__(self, room: Room, desk: Desk, session: ClientSession, incident: str) -> None:
        self.room, self.desk, self.session, self.incident = room, desk, session, incident

    async def path(self, number: int = 0) -> str:
        """The link's path of the n-th notice."""
        notice = (await self.notices())[number]
        assert self.desk.links is not None
        url = link_of(notice, self.desk.links, "http://desk")
        assert url is not None
        return url.removeprefix("http://desk")

    async def notices(self) -> list[Notice]:
        async with self.room.store.read() as conn:
            return await notices_of(conn, self.incident)

    async def held(self) -> Incident:
        async with self.room.store.read() as conn:
            found = await get_incident(conn, self.incident)
        assert found is not None
        return found

    async def moves(self) -> list[tuple[str, str]]:
        async with self.room.store.read() as conn:
            rows = await journal.of_incident(conn, self.incident)
        return [(row.actor, row.detail["way"]) for row in rows if "way" in row.detail]


@pytest.fixture
async def phone(room: Room) -> AsyncIterator[Phone]:
    desk = replace(room.desk, acknowledge=room.casework.acknowledge, links=Links(b"k" * 32))
    server = TestServer(make_application(desk, (console.room(desk),)))
    await server.start_server()
    incident = await room.open()
    await room.store.run(lambda conn: room.casework.fire_due(conn, room.clock()))
    async with ClientSession(str(server.make_url("/"))) as session:
        yield Phone(room, desk, session, incident)
    await server.close()


async def test_a_scanner_that_opens_every_link_changes_nothing(phone: Phone) -> None:
    path = await phone.path()
    for method in ("GET", "HEAD", "GET", "OPTIONS", "PUT"):
        async with phone.session.request(method, path) as answer:
            assert answer.status == (200 if method in {"GET", "HEAD"} else 405)
            text = await answer.text()
    async with phone.session.get(path, headers={"Purpose": "prefetch"}) as answer:
        text = await answer.text()
        assert answer.headers["Cache-Control"] == "no-store"

    assert "<button" in text
    assert (await phone.held()).state == "open"
    assert await phone.moves() == []


async def test_a_press_of_the_button_acknowledges_in_the_persons_name_once(phone: Phone) -> None:
    path = await phone.path()
    person = (await phone.notices())[0].person
    for _ in range(3):
        async with phone.session.post(path, data=PRESS) as answer:
            assert answer.status == 200
            assert answer.method == "GET"  # led back to the page by a redirection
            assert "<button" not in (await answer.text()).partition("<main")[2]

    assert (await phone.held()).state == "acknowledged"
    assert (await phone.held()).acknowledged_by == f"person:{person}"
    assert await phone.moves() == [(f"person:{person}", "link")]


async def test_another_persons_link_says_that_it_is_taken_on(phone: Phone) -> None:
    first, second = await phone.path(0), await phone.path(1)
    async with phone.session.post(first, data=PRESS):
        pass
    async with phone.session.post(second, data=PRESS) as answer:
        assert answer.status == 200

    assert len(await phone.moves()) == 1


async def test_a_link_is_not_used_again_when_the_acknowledgement_has_lapsed(phone: Phone) -> None:
    path = await phone.path()
    async with phone.session.post(path, data=PRESS):
        pass
    await phone.room.store.run(
        lambda conn: phone.room.casework.move(
            conn, phone.incident, "handled", "person:li-na", phone.room.clock()
        )
    )
    await _burns_again(phone)
    async with phone.session.post(path, data=PRESS):
        pass

    assert (await phone.held()).state == "open"


async def _burns_again(phone: Phone) -> None:
    held = await phone.held()
    fingerprint = held.fingerprint
    await phone.room.open(fingerprint=fingerprint)
    assert (await phone.held()).state == "open"


Ask = Callable[[Phone, str], Coroutine[Any, Any, int]]


async def _without_the_button(phone: Phone, path: str) -> int:
    async with phone.session.post(path) as answer:
        return answer.status


async def _as_json(phone: Phone, path: str) -> int:
    async with phone.session.post(path, json=PRESS) as answer:
        return answer.status


async def _from_another_site(phone: Phone, path: str) -> int:
    async with phone.session.post(path, data=PRESS, headers={"Origin": "https://evil.example"}) as answer:
        return answer.status


async def _of_another_key(phone: Phone, path: str) -> int:
    del path
    notice = (await phone.notices())[0]
    word = Links(b"x" * 32).write(notice.id, phone.room.clock() + timedelta(hours=1))
    async with phone.session.post(f"/a/{word}", data=PRESS) as answer:
        return answer.status


async def _too_late(phone: Phone, path: str) -> int:
    phone.room.clock.at = phone.room.clock() + timedelta(hours=25)
    async with phone.session.post(path, data=PRESS) as answer:
        return answer.status


async def _cut_short(phone: Phone, path: str) -> int:
    async with phone.session.post(path[:-1], data=PRESS) as answer:
        return answer.status


@pytest.mark.parametrize(
    ("ask", "status"),
    [
        (_without_the_button, 400),
        (_as_json, 400),
        (_from_another_site, 403),
        (_of_another_key, 404),
        (_too_late, 404),
        (_cut_short, 404),
    ],
)
async def test_anything_else_than_the_persons_own_press_is_refused(
    phone: Phone, ask: Ask, status: int
) -> None:
    assert await ask(phone, await phone.path()) == status
    assert (await phone.held()).state == "open"


async def test_a_console_without_links_has_none(room: Room, phone: Phone) -> None:
    path = await phone.path()
    async with ClientSession(room.url) as session, session.get(path) as answer:
        assert answer.status == 404
