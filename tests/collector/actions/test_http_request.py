"""Calling addresses that the operator allowed, and no other."""

from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from collector.actions.http_request import LOOK_AGAIN, HttpRequest, allowed
from collector.actions.port import Done, Failed, Skipped, Waiting
from collector.plans.model import HttpRequest as HttpStep
from collector.plans.model import Text
from collector.store.schema import notices

if TYPE_CHECKING:
    from tests.collector.actions.conftest import Visit

CALL = HttpStep(title=Text(zh="调", en="call"), owner="duty", url="http://127.0.0.1:9000/hooks/a")
PREFIXES = ["https://soc.gov.example/hooks", "http://127.0.0.1:9000"]


@pytest.mark.parametrize(
    "url",
    [
        "https://soc.gov.example/hooks",
        "https://soc.gov.example/hooks/a?b=c",
        "https://soc.gov.example:443/hooks/a",
        "https://SOC.gov.example/hooks/a",
        "http://127.0.0.1:9000/anything",
    ],
)
def test_what_lies_below_a_prefix_is_allowed(url: str) -> None:
    assert allowed(url, PREFIXES)


@pytest.mark.parametrize(
    "url",
    [
        "http://soc.gov.example/hooks/a",
        "https://soc.gov.example/hooksters",
        "https://soc.gov.example.evil.example/hooks/a",
        "https://soc.gov.example@evil.example/hooks/a",
        "https://soc.gov.example:8443/hooks/a",
        "https://soc.gov.example/hooks/../admin",
        "https://soc.gov.example/hooks/%2e%2e/admin",
        "https://soc.gov.example/hooks\\..\\admin",
        "https://soc.gov.example/hooks/a\n",
        "file:///etc/passwd",
        "//soc.gov.example/hooks",
        "https://[/hooks",
        "http://127.0.0.1:99999/",
        "",
    ],
)
def test_everything_else_is_not(url: str) -> None:
    assert not allowed(url, PREFIXES)
    assert not allowed(url, [])


@given(st.text(max_size=60), st.text(max_size=30))
def test_no_address_whatever_it_is_raises(url: str, prefix: str) -> None:
    assert allowed(url, [prefix]) in {True, False}


async def begin(visit: "Visit", url: str, **changes: Any) -> Any:  # noqa: ANN401 - any result
    step = HttpStep(
        title=Text(zh="调", en="call"),
        owner="duty",
        url=url,
        body={"text": "{incident.title}", "list": ["{incident.title}", 1], "n": None},
    )
    async with visit.store.write() as conn:
        return await HttpRequest(visit.surroundings).begin(conn, visit.of(step, **changes))


async def test_an_allowed_address_is_queued_once_under_the_steps_key(visit: "Visit") -> None:
    for _ in range(2):
        result = await begin(visit, "http://127.0.0.1:9000/hooks/{incident.id}")

    assert result == Waiting(visit.of(CALL).now + LOOK_AGAIN, {"notice": "run-1/step-1/1"})
    async with visit.store.read() as conn:
        rows = await conn.execute(sa.select(notices).where(notices.c.key == "run-1/step-1/1"))
        (row,) = rows.mappings()
    assert visit.incident is not None
    assert (row["person"], row["channel"]) == (None, "webhook")
    assert row["payload"] == {
        "url": f"http://127.0.0.1:9000/hooks/{visit.incident.id}",
        "body": {"text": "门户网站首页被篡改", "list": ["门户网站首页被篡改", 1], "n": None},
    }


@pytest.mark.parametrize(
    ("state", "result", "expected"),
    [
        ("sent", {"status": 202}, Done({"notice": "run-1/step-1/1", "status": 202})),
        ("failed", {"why": "status 404"}, Failed("the call is failed: status 404")),
        ("unknown", {"why": "no answer"}, Failed("the call is unknown: no answer")),
    ],
)
async def test_the_step_is_over_when_the_call_is_answered(
    visit: "Visit", state: str, result: dict[str, Any], expected: object
) -> None:
    await begin(visit, CALL.url)
    action, context = HttpRequest(visit.surroundings), visit.of(CALL)
    async with visit.store.write() as conn:
        assert isinstance(await action.poll(conn, context), Waiting)
        await conn.execute(notices.update().values(state=state, result=result))

        assert await action.poll(conn, context) == expected


async def test_a_call_that_was_never_queued_is_queued_at_the_next_look(visit: "Visit") -> None:
    async with visit.store.write() as conn:
        assert isinstance(await HttpRequest(visit.surroundings).poll(conn, visit.of(CALL)), Waiting)
        keys = (await conn.execute(sa.select(notices.c.key))).scalars().all()
    assert "run-1/step-1/1" in keys


async def test_an_address_off_the_list_fails_and_is_not_queued(visit: "Visit") -> None:
    result = await begin(visit, "http://127.0.0.1:9000/other")

    assert isinstance(result, Failed)
    assert "http_allow" in result.why


async def test_a_drill_calls_nobody(visit: "Visit") -> None:
    assert isinstance(await begin(visit, "http://127.0.0.1:9000/hooks/a", drill=True), Skipped)
