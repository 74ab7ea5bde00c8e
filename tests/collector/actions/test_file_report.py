"""Filing what an obligation owes."""

from typing import TYPE_CHECKING, Any

from collector.actions.file_report import FileReport
from collector.actions.port import Done, Failed, Skipped
from collector.plans.model import FileReport as FileStep
from collector.plans.model import Text

if TYPE_CHECKING:
    from tests.collector.actions.conftest import Visit

OBLIGATION = "cn-informatization/report"


async def begin(visit: "Visit", obligation: str = OBLIGATION, **changes: Any) -> Any:  # noqa: ANN401 - any result
    step = FileStep(
        title=Text(zh="报", en="report"),
        owner="duty",
        obligation=obligation,
        content={"what": "{incident.title}"},
    )
    async with visit.store.write() as conn:
        return await FileReport(visit.surroundings).begin(conn, visit.of(step, **changes))


async def test_what_is_owed_is_filed_with_what_is_known_and_items_left_open(visit: "Visit") -> None:
    assert await begin(visit) == Done({"filing": "filing-1"})

    ((_, complete, content),) = visit.filed
    assert (complete, content) == (False, {"what": "门户网站首页被篡改"})


async def test_what_is_not_owed_is_skipped_and_says_so(visit: "Visit") -> None:
    assert await begin(visit, "eu-nis2/early") == Skipped("eu-nis2/early is not owed")
    visit.incident = None
    assert isinstance(await begin(visit), Skipped)
    assert visit.filed == []


async def test_a_drill_files_too_for_authority_knows_where_its_reports_may_go(visit: "Visit") -> None:
    assert isinstance(await begin(visit, drill=True), Done)
    assert len(visit.filed) == 1


async def test_what_cannot_be_filed_for_good_fails_the_step(visit: "Visit") -> None:
    visit.refuse_filing = True

    assert await begin(visit) == Failed("there is nobody to file to")
