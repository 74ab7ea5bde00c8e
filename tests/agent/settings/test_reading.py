import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from agent.settings import Mistake, Settings, SettingsError, read, reading


class Sensor(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    poll: float = 60.0
    unit: str = ""
    limits: dict[str, int] = {}


class Sensors(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    asset: Sensor = Sensor()


class Declared(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    id: str
    grade: int | None = None

    def __post_init__(self) -> None:
        if self.id == "forbidden":
            raise ValueError("another id")


KINDS = {"sources": Sensors, "assets": tuple[Declared, ...]}


def mistakes(text: str) -> list[str]:
    with pytest.raises(SettingsError) as error:
        read(text, "agent.yaml", KINDS, {"sources.asset.unit"})
    return str(error.value).splitlines()


def test_an_empty_file_means_every_default() -> None:
    assert read("", "agent.yaml", KINDS) == Settings()
    assert read("# nothing\n", "agent.yaml", KINDS) == Settings()


def test_scalars_are_typed_by_the_settings_and_never_guessed() -> None:
    text = (
        "unit: NO\nstate_dir: 012\nheartbeat_seconds: 5\nassets: [{id: 1e3, grade: 3}, {id: x, grade: ~}]\n"
    )

    settings = read(text, "agent.yaml", KINDS)

    assert (settings.unit, settings.state_dir, settings.heartbeat_seconds) == ("NO", "012", 5.0)
    assert settings.assets == (Declared(id="1e3", grade=3), Declared(id="x"))


def test_what_is_left_open_is_read_as_the_kind_it_is_given() -> None:
    settings = read("sources: {asset: {poll: 5, limits: {a: 1}}}", "agent.yaml", KINDS)

    assert settings.sources == Sensors(asset=Sensor(poll=5.0, limits={"a": 1}))


def test_every_mistake_is_said_at_once_in_the_order_of_the_file() -> None:
    text = """\
colectors: [x]
collectors:
  - http://plain:8443
heartbeat_seconds: often
outbox: {max_bytes: 10, max_age_hours: 0}
orders:
  allow: [run_shell]
  evidence_logs:
    - path: relative
language: fr
internal_ranges: [10.0.0.0/99]
assets: [{grade: high}, {id: forbidden}, 3]
sources: {asset: {unit: x, limits: {a: b}, poll: }}
state_dir: [a]
unit: {a: b}
unit: again
"""
    places = [line.split(": found")[0] for line in mistakes(text)]

    assert places == [
        "agent.yaml:1:1: colectors",
        "agent.yaml:3:5: collectors[0]",
        "agent.yaml:4:20: heartbeat_seconds",
        "agent.yaml:5:21: outbox.max_bytes",
        "agent.yaml:5:40: outbox.max_age_hours",
        "agent.yaml:7:11: orders.allow[0]",
        "agent.yaml:9:7: orders.evidence_logs[0].name",
        "agent.yaml:9:13: orders.evidence_logs[0].path",
        "agent.yaml:10:11: language",
        "agent.yaml:11:19: internal_ranges[0]",
        "agent.yaml:12:10: assets[0].id",
        "agent.yaml:12:18: assets[0].grade",
        "agent.yaml:12:25: assets[1]",
        "agent.yaml:12:42: assets[2]",
        "agent.yaml:13:19: sources.asset.unit",
        "agent.yaml:13:40: sources.asset.limits.a",
        "agent.yaml:13:50: sources.asset.poll",
        "agent.yaml:14:12: state_dir",
        "agent.yaml:15:7: unit",
        "agent.yaml:16:1: unit",
    ]


def test_a_mistake_says_what_was_found_and_what_was_expected() -> None:
    said = "\n".join(mistakes("colectors: []\nlanguage: fr\noutbox: {max_bytes: 10}\nunit:\nassets: {}\n"))

    assert "did you mean collectors?" in said
    assert "language: found 'fr', expected one of zh, en" in said
    assert "found '10', expected `int` >= 1024" in said
    assert "unit: found nothing, expected text" in said
    assert "assets: found a mapping, expected a list" in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "agent.yaml:2:1: found"),
        ("- a\n", "agent.yaml:1:1: found no mapping"),
        ("a: b: c\n", "agent.yaml:1:5: found"),
        ("a: &x b\nc: *x\n", "agent.yaml:2:4: found the alias *x"),
        ("\x00", "agent.yaml:1:1: found"),
        ("a: " + "[" * 5000, "more than 30 levels"),
        ("a" * 1_000_001, "1000001 characters"),
        ("a: 1\n---\nb: 2\n", "agent.yaml:2:1: found"),
        ("? [a]\n: b\n", "unknown field"),
    ],
)
def test_what_is_no_settings_file_is_refused_with_its_place(text: str, said: str) -> None:
    assert said in "\n".join(mistakes(text))


@given(st.text(alphabet="ab: -[]{}\n'\"&*!|>#,?0", max_size=60))
def test_any_text_is_settings_or_mistakes_with_places(text: str) -> None:
    found: list[Mistake] = []
    try:
        read(text, "agent.yaml", KINDS)
    except SettingsError as error:
        found = error.mistakes or [Mistake("", 0, 0, "", "", "")]

    assert all(mistake.line >= 1 and mistake.column >= 1 for mistake in found)


def test_a_zero_byte_stands_in_no_text() -> None:
    with pytest.raises(SettingsError, match="state_dir: found a zero byte, expected text"):
        read('state_dir: "/var\\0"', "agent.yaml", {})


def test_the_example_is_true() -> None:
    assert doctest.testmod(reading).attempted
    assert doctest.testmod(reading).failed == 0
