from datetime import timedelta

import pytest
from aiohttp.test_utils import make_mocked_request

from collector.desk import ProblemError
from collector.desk.identity import (
    CSRF_HEADER,
    SESSION_LENGTH,
    csrf_of,
    identify,
    is_local,
    require_same_origin,
    sign_in,
    sign_out,
)
from collector.desk.password import Passwords
from collector.desk.rights import Principal
from tests.browser.watch_room import PASSWORD, Room

LI = Principal(actor="person:li-na", name="li", role="duty", person="li-na", csrf=csrf_of("s"))


async def test_who_knows_the_password_is_known_for_a_shift(room: Room) -> None:
    await room.account("li", "duty", "li-na")
    start = room.clock()
    room.clock.at = start
    secret = await sign_in(room.desk, Passwords(), "li", PASSWORD, start)
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
    secret = await sign_in(room.desk, Passwords(), "admin", PASSWORD, room.clock())
    assert secret
    request = make_mocked_request("GET", "/", headers={"Cookie": f"fengsui_session={secret}"})
    known = await identify(request, room.desk)
    assert known
    assert known.actor == "user:admin"

    await sign_out(room.desk, secret)

    assert await identify(request, room.desk) is None


@pytest.mark.parametrize(
    ("name", "password"), [("li", "wrong"), ("nobody", PASSWORD), ("", ""), ("li", "x" * 2000)]
)
async def test_a_wrong_name_or_password_opens_nothing(room: Room, name: str, password: str) -> None:
    await room.account("li", "duty", "li-na")

    assert await sign_in(room.desk, Passwords(), name, password, room.clock()) is None


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
