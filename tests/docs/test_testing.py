"""docs/testing.md names every decoder of outside bytes with its fuzz test; one without cannot come in."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.fuzz import of_agents, of_collectors, of_host, of_kernel, of_network, of_people
from tests.fuzz.decoders import DECODERS
from tests.fuzz.hostile import Decoder

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "testing.md").read_text("utf-8")
ROOMS = (of_kernel, of_network, of_host, of_collectors, of_agents, of_people)
# What turns bytes or text of any form into something: who calls it reads what somebody wrote.
DECODING = {
    "Codec", "Decoder", "HTMLParser", "b64decode", "decompress", "from_bytes", "from_ical", "from_yaml",
    "fromhex", "fromisoformat", "iter_unpack", "loads", "message_from_bytes", "message_from_string",
    "parsedate_to_datetime", "safe_load", "unpack", "unpack_from", "urlsafe_b64decode",
}  # fmt: skip


def table(heading: str) -> list[list[str]]:
    """The rows below a heading of the document."""
    part = TEXT.split(f"### {heading}\n", 1)[1].split("\n### ", 1)[0].split("\n## ", 1)[0]
    rows = [line.strip("|").split("|") for line in part.splitlines() if line.startswith("|")]
    return [[cell.strip().replace("`", "") for cell in row] for row in rows[2:]]


def row_of(decoder: Decoder) -> list[str]:
    refused = ", ".join(sorted({one.__name__ for one in decoder.refuses})) or "nothing"
    return [decoder.name, decoder.source, refused]


def test_every_decoder_stands_there_with_its_file_and_its_refusal() -> None:
    for room in ROOMS:
        heading = f"{Path(room.__file__).name}"
        assert table(heading) == [row_of(one) for one in room.DECODERS]


def test_every_decoder_is_run() -> None:
    assert list(DECODERS) == [one for room in ROOMS for one in room.DECODERS]
    assert len({one.name for one in DECODERS}) == len(DECODERS)
    assert all(one.samples and (ROOT / one.source).is_file() for one in DECODERS)


def test_a_file_that_decodes_is_fuzzed_or_says_whose_bytes_it_reads() -> None:
    fuzzed = {one.source for one in DECODERS}
    reasoned = dict(table("Read elsewhere"))
    decoding = {
        str(path.relative_to(ROOT))
        for wing in ("wire", "agent", "collector")
        for path in (ROOT / wing).rglob("*.py")
        if "migrations" not in path.parts and set(_calls(path)) & (DECODING | {"json.decode", "yaml.parse"})
    }

    assert decoding - fuzzed - reasoned.keys() == set(), "add a decoder to tests/fuzz, or a reason to the doc"
    assert reasoned.keys() - decoding == set()
    assert all(reasoned.values())


def _calls(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            yield called.rsplit(".", 1)[-1]
            yield from re.findall(r"(json\.decode|yaml\.parse)$", called)
            if re.search(r"x509\.load_(pem|der)|tarfile\.open$", called):
                yield "loads"


CLASS = re.compile(r"\b[A-Z]{5,}\b")


def samples() -> list[list[str]]:
    """The rows of the detections: what, classes, and two times file and test."""
    part = TEXT.split("## Samples of every detection", 1)[1].split("\n## ", 1)[0]
    rows = [line.strip("|").split("|") for line in part.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def test_every_sample_that_is_named_is_a_test() -> None:
    pairs = [(row[2], row[3]) for row in samples()]
    assert all(found != left for found, left in pairs)
    for place in {place for pair in pairs for place in pair}:
        file, name = re.fullmatch(r"`(\S+)` `(\w+)`", place).groups()  # type: ignore[union-attr]
        tree = ast.parse((ROOT / "tests/agent" / file).read_text("utf-8"))
        there = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
        assert name in there, place


def test_every_class_and_every_source_of_the_nodes_own_detections_has_its_pair() -> None:
    sampled = {code for row in samples() for code in CLASS.findall(row[1])}
    named = {name for row in samples() for name in re.findall(r"`(\w+)`", row[0])}
    host = _rows("host.md")
    own = {code for row in host for code in CLASS.findall(row[2])}
    own |= {code for row in _rows("detection.md") if len(row) == 4 for code in CLASS.findall(row[1])}

    assert own - sampled == set()
    assert {name for row in host for name in re.findall(r"`(\w+)`", row[0])} - named == set()


def _rows(document: str) -> list[list[str]]:
    text = (ROOT / "docs" / document).read_text("utf-8")
    return [line.split("|")[1:-1] for line in text.splitlines() if line.startswith("| ")][1:]
