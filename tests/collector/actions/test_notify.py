"""Telling the people of a role."""

from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from msgspec.structs import replace

from collector.actions.notify import Notify, ask, message, remind
from collector.actions.port import Done, Failed
from collector.plans.model import Approve, Text
from collector.plans.model import Notify as NotifyStep
from collector.store.schema import notices

if TYPE_CHECKING:
    from tests.collector.actions.conftest import Visit

TITLE = Text(zh="通知", en="tell")


def step(to: str = "duty", **more: Any) -> NotifyStep:  # noqa: ANN401 - fields of a step
    return NotifyStep(title=TITLE, owner="duty", to=to, **more)


async def queued(visit: "Visit") -> dict[str, dict[str, Any]]:
    async with visit.store.read() as conn:
        rows = (await conn.execute(sa.select(notices).where(notices.c.key.startswith("run-1")))).mappings()
        return {row["key"]: dict(row) for row in rows}


async def begin(visit: "Visit", asked: NotifyStep, **changes: Any) -> Any:  # noqa: ANN401 - any result
    async with visit.store.write() as conn:
        return await Notify(visit.surroundings).begin(conn, visit.of(asked, **changes))


async def test_everybody_of_the_role_gets_one_notice_a_channel(visit: "Visit") -> None:
    result = await begin(visit, step(text=Text(zh="{incident.title}。", en="x")))

    assert result == Done({"people": ["wang"], "notices": 1, "holes": []})
    (notice,) = (await queued(visit)).values()
    assert (notice["key"], notice["person"], notice["channel"]) == (
        "run-1/step-1/1/wang/webhook",
        "wang",
        "webhook",
    )
    assert (notice["payload"]["subject"], notice["payload"]["body"]) == (
        "通知 · 门户网站首页被篡改",
        "门户网站首页被篡改。",
    )


async def test_told_again_after_a_crash_is_told_once(visit: "Visit") -> None:
    await begin(visit, step())
    async with visit.store.write() as conn:
        assert isinstance(await Notify(visit.surroundings).poll(conn, visit.of(step())), Done)

    assert len(await queued(visit)) == 1


async def test_an_empty_role_falls_to_the_leader(visit: "Visit") -> None:
    result = await begin(visit, step("webmaster"))

    assert result.out["people"] == ["zhao"]
    assert result.out["holes"] == ["nobody is registered as webmaster of county"]


async def test_nobody_at_all_is_a_failure_that_names_the_holes(visit: "Visit") -> None:
    assert await begin(visit, step("leader"), unit="city") == Failed("nobody is registered as leader of city")
    both = await begin(visit, step("webmaster"), unit="city")
    assert "webmaster of city; nobody is registered as leader" in both.why


async def test_a_channel_that_the_person_lacks_is_a_hole(visit: "Visit") -> None:
    result = await begin(visit, step(channels=("sms",)))

    assert isinstance(result, Failed)
    assert "wang (duty of county) cannot be reached over sms" in result.why


async def test_who_is_to_approve_is_told_once(visit: "Visit") -> None:
    approval = Approve(title=TITLE, owner="leader")
    for _ in range(2):
        async with visit.store.write() as conn:
            await ask(conn, visit.of(approval), visit.surroundings)

    (notice,) = (await queued(visit)).values()
    assert notice["key"] == "run-1/step-1/1/asks/zhao/webhook"
    assert notice["payload"]["subject"] == "【待审批】通知 · 门户网站首页被篡改"


async def test_where_nobody_bears_the_role_the_leader_is_asked(visit: "Visit") -> None:
    async with visit.store.write() as conn:
        await ask(conn, visit.of(Approve(title=TITLE, owner="press")), visit.surroundings)

    assert set(await queued(visit)) == {"run-1/step-1/1/asks/zhao/webhook"}


async def test_a_leader_is_reminded_once(visit: "Visit") -> None:
    for _ in range(2):
        async with visit.store.write() as conn:
            await remind(conn, visit.of(step()), visit.surroundings)

    (notice,) = (await queued(visit)).values()
    assert notice["key"] == "run-1/step-1/1/late/zhao/webhook"
    assert notice["payload"]["subject"] == "【已超时】通知 · 门户网站首页被篡改"


@pytest.mark.parametrize(("language", "subject"), [("zh", "【演练】通知"), ("en", "[DRILL] tell")])
def test_a_drill_says_so_in_subject_and_body(visit: "Visit", language: str, subject: str) -> None:
    said = message(visit.of(step(), drill=True), language)

    about = {"zh": "门户网站首页被篡改", "en": "home page of the portal tampered with"}[language]
    assert (said["subject"], said["body"]) == (f"{subject} · {about}", subject)
    plain = message(replace(visit.of(step()), incident=None), language)
    assert plain["incident"] is None
