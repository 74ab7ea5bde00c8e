"""The after-action report: the same facts as data, Word and PDF, in both languages, marked on every page."""

from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from docx import Document

from collector.documents import Renderer
from collector.documents.after_action import AfterAction, after_action, drill_paper
from collector.drills import score
from collector.drills.score import Course, Owing
from collector.drills.script import Limits
from collector.statement import Words
from collector.store.drill_story import Deed, Injected, Story
from tests.collector.store.test_drills import NINE, a_drill

if TYPE_CHECKING:
    from tests.conftest import Office

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)


@pytest.fixture
def report(office: "Office") -> AfterAction:
    course = Course(
        incident="i",
        title="【演练】首页被篡改",
        title_en="[DRILL] home page",
        opened_at=NINE,
        acknowledged_at=NINE + timedelta(minutes=11),
    )
    due = NINE + timedelta(hours=1)
    owing = Owing(incident="i", obligation="cn/report", opened_at=NINE, due_at=due, filed_at=due)
    sheet = score([course], [owing], [], Limits(acknowledge=timedelta(minutes=10)), NOON)
    words = Words("首页被篡改（NAWEBMOD）", "home page (NAWEBMOD)")
    event = Injected(n=1, at=NINE, kind="incident", words=words, state="done", done_at=NINE)
    deed = Deed(at=NINE, actor="user:wang", action="incident.moved", gist="to=acknowledged")
    drill = a_drill(state="done", started_at=NINE, ended_at=NOON, lessons="通讯录要更新\n第二行")
    return after_action(drill, sheet, Story(events=[event], deeds=[deed]), office.registry, NOON)


def texts(page: dict[str, Any]) -> str:
    return msgspec.json.encode(page).decode()


def test_it_says_what_fell_short_and_what_was_learnt(report: AfterAction) -> None:
    page = drill_paper(report, "zh")
    items = {item["heading"]: item["lines"] for item in page["items_"]}

    assert page["title"] == "【演练】应急演练评估报告"
    assert {row["label"]: row["value"] for row in page["rows"]}["得分"] == "33 / 100"
    assert [line[:4] for line in items["二、存在的问题"]] == ["[超时]", "[未完成"]
    assert items["五、总结与改进"] == ["通讯录要更新", "第二行"]
    assert "望楼县政府办" in texts(page)


def test_in_english_it_has_no_chinese_but_names_and_what_persons_wrote(report: AfterAction) -> None:
    page = drill_paper(msgspec.structs.replace(report, lessons="", names={}), "en")

    assert not [letter for letter in texts(page) if "\u4e00" <= letter <= "\u9fff"]


def test_as_data_it_comes_back_whole(report: AfterAction) -> None:
    assert msgspec.json.decode(msgspec.json.encode(report), type=AfterAction) == report


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_word_bears_the_mark_at_head_and_foot(report: AfterAction, language: str) -> None:
    body = await Renderer(str).print_paper("docx", drill_paper(report, language))
    section = Document(BytesIO(body)).sections[0]
    mark = {"zh": "【演练】", "en": "[DRILL]"}[language]

    assert section.header.paragraphs[0].text == section.footer.paragraphs[0].text == mark


async def test_it_is_printed_as_pdf(report: AfterAction) -> None:
    body = await Renderer(str).print_paper("pdf", drill_paper(report, "zh"))

    assert body.startswith(b"%PDF-")
