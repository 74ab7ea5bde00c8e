"""The printed report, and the characters that no font has."""

from typing import TYPE_CHECKING

import pytest
import typst

from collector import shipped
from collector.documents.eight_items import compose
from collector.documents.paper import paper
from collector.documents.pdf import MissingGlyphsError, lacking, print_paper
from tests.collector.documents.conftest import clock
from tests.collector.documents.test_eight_items import LAW

if TYPE_CHECKING:
    from pathlib import Path

    from collector.documents.material import Material

HOME = shipped.configs_dir() / "documents"
FONTS = sorted((HOME / "fonts").glob("*.otf"))


def test_the_report_is_printed_the_same_each_time_with_the_shipped_font(known_incident: "Material") -> None:
    page = paper(known_incident, clock(), compose(known_incident, clock(), LAW), "zh")
    printed = print_paper(HOME / "report.typ", FONTS, page)

    assert printed.startswith(b"%PDF-")
    assert b"NotoSerifCJKsc" in printed
    assert printed == print_paper(HOME / "report.typ", FONTS, page)


def test_the_font_has_every_character_of_gb_2312_and_its_licence_beside_it() -> None:
    every = [
        bytes((high, low)).decode("gb2312", "ignore")
        for high in range(0xB0, 0xF8)
        for low in range(0xA1, 0xFF)
    ]

    assert lacking(every, FONTS) == []
    assert "SIL OPEN FONT LICENSE" in (HOME / "fonts" / "OFL.txt").read_text()
    assert sum(font.stat().st_size for font in FONTS) < 5_000_000


def test_the_font_has_every_word_the_law_and_the_register_need() -> None:
    words = [
        path.read_text() for folder in ("regimes", ".") for path in (HOME.parent / folder).glob("*.yaml")
    ]

    assert lacking(words, FONTS) == []


def test_a_character_without_a_picture_is_refused_and_named(known_incident: "Material") -> None:
    page = paper(known_incident, clock(), compose(known_incident, clock(), LAW), "zh")
    page["items_"][0]["lines"].append("路径 /𠮷/🔥")
    with pytest.raises(MissingGlyphsError, match=r"lack 2 characters: 🔥 \(U\+1F525\), 𠮷|𠮷 \(U\+20BB7\)"):
        print_paper(HOME / "report.typ", FONTS, page)


def test_text_is_never_markup(known_incident: "Material", tmp_path: "Path") -> None:
    page = paper(known_incident, clock(), compose(known_incident, clock(), LAW), "zh")
    page["items_"][0]["lines"] += ['#read("/etc/passwd")', "*_$ @x <a> ```"]

    assert print_paper(HOME / "report.typ", FONTS, page)
    outside = tmp_path / "own.typ"
    outside.write_text('#read("../../../../../../etc/hostname")')
    with pytest.raises(typst.TypstError):
        print_paper(outside, FONTS, page)


def test_a_drills_pages_are_not_those_of_a_real_report(known_incident: "Material") -> None:
    page = paper(known_incident, clock(), compose(known_incident, clock(), LAW), "zh")
    real = print_paper(HOME / "report.typ", FONTS, page)
    drill = print_paper(HOME / "report.typ", FONTS, page | {"mark": "【演练】"})

    assert drill != real
    assert drill.startswith(b"%PDF-")
