"""The Word document from a template that a unit may replace."""

from io import BytesIO
from zipfile import ZipFile

import pytest
from docx import Document
from jinja2.exceptions import SecurityError

from collector import shipped
from collector.documents.docx import fill, settle

TEMPLATE = (shipped.configs_dir() / "documents" / "report.docx").read_bytes()
PAPER = {
    "title": "网络安全事件报告",
    "rows": [{"label": "报告单位", "value": "<b>&县政府</b> {{ 7 * 7 }}"}],
    "items_": [{"heading": "一", "lines": ["甲", "乙"], "open": "待补: 丙"}],
    "sources_title": "数据来源",
    "sources": ["1: unit.county · registry"],
    "signature": "签字",
}


def test_text_stays_text_whatever_it_looks_like() -> None:
    document = Document(BytesIO(fill(TEMPLATE, PAPER)))

    assert [[cell.text for cell in row.cells] for row in document.tables[0].rows] == [
        ["报告单位", "<b>&县政府</b> {{ 7 * 7 }}"]
    ]
    assert [line.text for line in document.paragraphs if line.text] == [
        "网络安全事件报告", "一", "甲", "乙", "待补: 丙", "签字", "数据来源", "1: unit.county · registry",
    ]  # fmt: skip


def test_the_same_paper_is_the_same_bytes_and_every_file_has_the_fixed_time() -> None:
    filled = fill(TEMPLATE, PAPER)

    assert filled == fill(TEMPLATE, PAPER)
    with ZipFile(BytesIO(filled)) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(2000, 1, 1, 0, 0, 0)}
        assert archive.namelist()[0] == "[Content_Types].xml"
    assert settle(filled) == filled


def test_a_unit_may_word_its_own_template_but_not_reach_out_of_it() -> None:
    def template(text: str) -> bytes:
        made = BytesIO()
        document = Document()
        document.add_paragraph(text)
        document.save(made)
        return made.getvalue()

    own = Document(BytesIO(fill(template("本单位:{{ rows[0].label }}"), PAPER)))
    assert own.paragraphs[0].text == "本单位:报告单位"
    with pytest.raises(SecurityError):
        fill(template("{{ title.__class__.__mro__ }}"), PAPER)


def test_a_drills_mark_stands_on_every_page_whatever_the_template() -> None:
    section = Document(BytesIO(fill(TEMPLATE, PAPER | {"mark": "【演练】"}))).sections[0]
    plain = Document(BytesIO(fill(TEMPLATE, PAPER))).sections[0]

    assert section.header.paragraphs[0].text == section.footer.paragraphs[0].text == "【演练】"
    assert "【演练】" not in "".join(line.text for line in plain.header.paragraphs)


def test_a_template_with_a_head_and_a_foot_of_its_own_keeps_them_beside_the_mark() -> None:
    made, own = BytesIO(), Document()
    own.sections[0].header.paragraphs[0].text = "{{ title }}"
    own.sections[0].footer.paragraphs[0].text = "内部"
    own.save(made)
    section = Document(BytesIO(fill(made.getvalue(), PAPER | {"mark": "【演练】"}))).sections[0]

    assert [line.text for line in section.header.paragraphs] == ["【演练】", "网络安全事件报告"]
    assert [line.text for line in section.footer.paragraphs] == ["【演练】", "内部"]


def test_the_form_has_its_columns_and_counts_its_pages() -> None:
    document = Document(BytesIO(fill(TEMPLATE, PAPER)))
    first, second = (column.width for column in document.tables[0].columns)
    foot = document.sections[0].footer.paragraphs[0]._p.xml

    assert first is not None
    assert second is not None
    assert second > 3 * first
    assert all(f'w:instr="{field}"' in foot for field in ("PAGE", "NUMPAGES"))
