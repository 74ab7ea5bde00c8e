import re
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from collector import console
from collector.console.texts import DOMAIN, LANGUAGES, catalogue, templates
from collector.desk.problem import TITLES

HOME = Path(console.__file__).parent


def spoken() -> set[str]:
    """Every sentence of templates and code that a reader may see."""
    environment = templates("en")
    found = set(TITLES.values())
    for template in (HOME / "templates").glob("*.html"):
        for _, _, message in environment.extract_translations(template.read_text("utf-8")):
            found.add(message if isinstance(message, str) else str(message[0]))
    for source in HOME.glob("*.py"):
        found |= set(re.findall(r'\.say\("([^"]+)"\)', source.read_text("utf-8")))
    return found


def test_every_sentence_is_there_in_chinese_and_none_is_left_over() -> None:
    po = read_po(BytesIO((HOME / "locale/zh/LC_MESSAGES" / f"{DOMAIN}.po").read_bytes()))
    there = {message.id[0] if isinstance(message.id, tuple) else message.id for message in po if message.id}

    assert there == spoken()
    assert all(message.string for message in po)
    assert not any(list(message.check()) for message in po)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_template_prints_is_escaped(language: str) -> None:
    shown = templates(language).from_string("{{ it }} {{ _('Sign in') }}").render(it="<script>")

    assert shown.startswith("&lt;script&gt;")


def test_a_language_speaks_its_own_words() -> None:
    assert catalogue("zh").gettext("Sign in") == "登录"
    assert catalogue("en").gettext("Sign in") == "Sign in"


def test_no_page_holds_a_script_or_a_style_of_its_own() -> None:
    for template in (HOME / "templates").glob("*.html"):
        text = template.read_text("utf-8")
        assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=|hx-on", text), template.name
