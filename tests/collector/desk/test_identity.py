from datetime import timedelta

import pytest
import sqlalchemy as sa
from aiohttp.test_utils import make_mocked_request

from collector.desk import ProblemError
from collector.desk.guesses import DelayedError
from collector.desk.identity import (
    CSRF_HEADER,
    SESSION_LENGTH,
    Door,
    address_of,
    csrf_of,
    identify,
    is_local,
    require_same_origin,
    sign_out,
)
from collector.desk.rights import Principal
from collector.ingest.issuing import issue_bearer
from collector.store import schema
from collector.store.engine import Store
from collector.store.tokens import revoke_token
from tests.browser.watch_room import PASSWORD, Room

HERE = "10.20.0.7"
LI = Principal(actor="person:li-na", name="li", role="duty", person="li-na", csrf=csrf_of("s"))


async def test_who_knows_the_password_is_known_for_a_shift(room: Room) -> None:
    await room.account("li", "duty", "li-na")
    start = room.clock()
    room.clock.at = start
    secret = await Door(room.desk).sign_in("li", PASSWORD, HERE, start)
    assert secret
    request = make_mocked_request("GET", "/", headers={"Cookie": f"fengsui_session={secret}"})

    known = await identify(request, room.desk)
    room.clock.at = start + SESSION_LENGTH + timedelta(seconds=1)

    assert known == Principal(
        actor="person:li-na", name="li", role="duty", person="li-na", csrf=csrf_of(secret)
    )
    assert await identify(request, room.desk) is None


async def test_who_signs_out_is_not_known_any_more(room: Room) -> None:
    await room.account("admin", "admin")
    secret = await Door(room.desk).sign_in("admin", PASSWORD, HERE, room.clock())
    assert secret
    request = make_mocked_request("GET", "/", headers={"Cookie": f"fengsui_session={secret}"})
    known = await identify(request, room.desk)
    assert known
    assert known.actor == "user:admin"

    await sign_out(room.desk, secret)

    assert await identify(request, room.desk) is None


@pytest.mark.parametrize(
    ("name", "password"),
    [("li", "wrong"), ("nobody", PASSWORD), ("", ""), ("li", "x" * 2000), ("l\0i", PASSWORD)],
)
async def test_a_wrong_name_or_password_opens_nothing(room: Room, name: str, password: str) -> None:
    await room.account("li", "duty", "li-na")

    assert await Door(room.desk).sign_in(name, password, HERE, room.clock()) is None


async def test_guessing_is_slowed_down_and_stands_in_the_journal(room: Room) -> None:
    await room.account("li", "duty", "li-na")
    now, door = room.clock(), Door(room.desk)
    for _ in range(6):
        assert await door.sign_in("li", "guess", HERE, now) is None
    with pytest.raises(DelayedError, match="try again in 1 s"):
        await door.sign_in("li", PASSWORD, HERE, now)

    assert await door.sign_in("li", PASSWORD, "10.20.0.8", now)
    assert await door.sign_in("li", PASSWORD, HERE, now + timedelta(seconds=1))
    async with room.desk.store.read() as conn:
        query = sa.select(schema.journal).where(schema.journal.c.action == "user.delayed")
        [told] = (await conn.execute(query)).all()
    assert (told.subject, told.detail) == ("user:li", {"address": HERE, "seconds": 1})


def test_behind_a_proxy_of_this_host_guesses_count_for_who_sent_them() -> None:
    far = make_mocked_request("POST", "/sign-in", headers={"X-Forwarded-For": "1.1.1.1, 10.20.0.9"})

    assert address_of(far) == (far.remote or "")
    assert address_of(far.clone(remote="127.0.0.1")) == "10.20.0.9"
    assert address_of(far.clone(remote="10.20.0.1")) == "10.20.0.1"


async def test_a_token_that_another_process_takes_back_opens_nothing_from_the_next_request_on(
    room: Room,
) -> None:
    now = room.clock()
    bearer = await issue_bearer(room.desk.store, "viewer", now)
    request = make_mocked_request("GET", "/", headers={"Authorization": f"Bearer {bearer}"})
    known = await identify(request, room.desk)
    assert known is not None

    command = await Store.open(room.desk.store.engine.url.render_as_string(hide_password=False))
    await command.run(lambda conn: revoke_token(conn, known.name, now))
    await command.close()

    assert await identify(request, room.desk) is None


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer fsa1.unknown"},
        {"Authorization": "Bearer " + "x" * 9000},
        {"Authorization": "Basic bGk6bGk="},
        {"Cookie": "fengsui_session=guess"},
    ],
)
async def test_anybody_else_is_nobody(room: Room, headers: dict[str, str]) -> None:
    assert await identify(make_mocked_request("GET", "/", headers=headers), room.desk) is None


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {CSRF_HEADER: "guess"},
        {CSRF_HEADER: LI.csrf, "Sec-Fetch-Site": "cross-site"},
        {CSRF_HEADER: LI.csrf, "Sec-Fetch-Site": "same-site"},
        {CSRF_HEADER: LI.csrf, "Origin": "https://evil.example", "Host": "127.0.0.1:8080"},
        {CSRF_HEADER: LI.csrf, "Origin": "null", "Host": "127.0.0.1:8080"},
    ],
)
def test_a_change_from_another_site_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(ProblemError) as told:
        require_same_origin(make_mocked_request("POST", "/", headers=headers), LI)

    assert told.value.kind == "forbidden"


def test_a_change_of_our_own_page_is_taken() -> None:
    headers = {"Origin": "http://127.0.0.1:8080", "Host": "127.0.0.1:8080", "Sec-Fetch-Site": "same-origin"}

    require_same_origin(make_mocked_request("POST", "/", headers=headers), LI, LI.csrf)
    require_same_origin(make_mocked_request("POST", "/"), Principal(actor="token:1", name="1", role="duty"))


def test_a_proxy_on_this_host_does_not_make_its_callers_local() -> None:
    assert not is_local(make_mocked_request("GET", "/", headers={"X-Forwarded-For": "127.0.0.1"}))
