"""What is printed."""

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from collector.documents.docx import fill
from collector.documents.eight_items import compose
from collector.documents.paper import paper
from tests.collector.documents.conftest import clock, incident, material
from tests.collector.documents.test_docx import TEMPLATE
from tests.collector.documents.test_eight_items import LAW, REGISTER

if TYPE_CHECKING:
    from collector.documents.material import Material


def test_a_paper_says_who_reports_what_to_whom_and_until_when(known_incident: "Material") -> None:
    page = paper(known_incident, clock(), compose(known_incident, clock(), LAW), "zh")
    rows = {row["label"]: row["value"] for row in page["rows"]}

    assert rows["报告单位"] == "望楼县政府办"
    assert rows["受理机关"] == "省级网信部门"
    assert rows["报告时限"] == "2026年3月2日 13:00:00（UTC+8）"
    assert "受理编号" not in rows
    assert len(page["items_"]) == 8
    assert page["items_"][3]["open"] == "待补：原因初步分析意见"


def test_every_source_stands_on_the_paper(known_incident: "Material") -> None:
    said = compose(known_incident, clock(), LAW)
    page = paper(known_incident, clock(), said, "en")

    assert len(page["sources"]) == sum(len(item.sources) for item in said.items)
    assert "2: facts.homepage_tampered_since · node:node-1 · report r-1 · journal 1" in page["sources"]


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=30))
def test_whatever_a_node_calls_its_files_the_word_document_can_be_made(title: str) -> None:
    told = material(REGISTER, incident=incident(title=title))
    fill(TEMPLATE, paper(told, clock(), compose(told, clock(), LAW), "zh"))


def test_what_turns_text_around_is_written_out() -> None:
    turned = material(REGISTER, incident=incident(title="a\u202efdp.exe\x00"))
    page = paper(turned, clock(), compose(turned, clock(), LAW), "zh")

    assert "事件：a\\u202efdp.exe\\u0000" in page["items_"][1]["lines"]


def test_a_drills_paper_bears_its_mark_and_a_real_one_none() -> None:
    told = material(REGISTER, incident=incident(drill=True))
    page = paper(told, clock(), compose(told, clock(), LAW), "zh")
    real = material(REGISTER, incident=incident())

    assert (page["mark"], page["title"]) == ("【演练】", "【演练】网络安全事件报告")
    assert paper(real, clock(), compose(real, clock(), LAW), "en")["mark"] == ""
