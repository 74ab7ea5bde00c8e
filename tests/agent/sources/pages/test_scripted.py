import doctest
from base64 import b64encode
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.sources.pages import scripted
from agent.sources.pages.scripted import as_written, encoded, writes

HIDING = '<div style="display:none">'


def test_the_examples_run() -> None:
    assert doctest.testmod(scripted).failed == 0


@pytest.mark.parametrize(
    "argument",
    [
        f"'{HIDING}'",
        "'<div style=' + '\"display:none\">'",
        "`" + HIDING + "`",
        '"' + "".join(f"\\x{ord(one):02x}" for one in HIDING) + '"',
        "'" + "".join(f"\\u{ord(one):04x}" for one in HIDING) + "'",
        f'unescape("{quote(HIDING)}")',
        'unescape("' + "".join(f"%u{ord(one):04x}" for one in HIDING) + '")',
        f"decodeURIComponent('{quote(HIDING)}')",
        f'window.atob("{b64encode(HIDING.encode()).decode()}")',
        f"String.fromCharCode({', '.join(str(ord(one)) for one in HIDING)})",
    ],
)
@pytest.mark.parametrize("call", ["document.write({})", "document . writeln({});", "document['write']({}) ;"])
def test_what_a_script_writes_is_read_however_it_is_put(argument: str, call: str) -> None:
    script = "var x = 1;" + call.format(argument) + "\nvar y = '<p>';"

    assert list(writes(script)) == [(10, HIDING)]
    assert as_written(f"<script>{script}</script>") == f"{HIDING}\n"


def test_what_is_no_literal_is_left_out_and_nothing_is_evaluated() -> None:
    assert [text for _, text in writes("document.write('<a href=' + location + '>');")] == ["<a href=>"]
    assert list(encoded("atob(secret); atob('!!'); unescape(x)")) == []


def test_lines_keep_their_numbers() -> None:
    page = "1\n<script>\ndocument.write('x');\n</script>\n5 <a>"

    assert as_written(page).splitlines()[4] == "5 <a>"


def test_a_script_without_an_end_is_none() -> None:
    assert as_written("<p><script>document.write('x')") == "<p><script>document.write('x')"


def test_halves_of_characters_are_none() -> None:
    (one,) = writes('document.write("\\ud83d" + String.fromCharCode(55357, 9999999, 65))')

    assert one[1] == "\ufffd\ufffd\ufffdA"
    assert msgspec.json.encode(one)


@given(st.text(max_size=300) | st.text(alphabet="document.write(atob\"'\\`x)+%u0 ;<script>/", max_size=300))
def test_any_text_is_read(text: str) -> None:
    msgspec.json.encode([as_written(text), list(writes("document.write(" + text)), list(encoded(text))])
