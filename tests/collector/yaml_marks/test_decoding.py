"""Models give the types; every mistake is told at once, at its place."""

import dataclasses
import enum
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal

import pytest
from msgspec import Meta, Struct

from collector import yaml_marks
from collector.yaml_marks import Mistakes, Node, Scalar


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Region(str):
    __slots__ = ()
    yaml_expectation = "a region"

    @classmethod
    def parse_yaml(cls, text: str) -> "Region":
        if len(text) != 2:
            raise ValueError("a region of two letters")
        return cls(text)


@dataclasses.dataclass(frozen=True)
class Place:
    city: str
    zone: int = 0
    tags: list[str] = dataclasses.field(default_factory=list)


class Wait(Struct, frozen=True, tag_field="kind", tag="wait"):
    length: timedelta


class Notify(Struct, frozen=True, tag_field="kind", tag="notify"):
    to: str


class Window(Struct, frozen=True):
    begin: int
    end: int

    def __post_init__(self) -> None:
        if self.begin > self.end:
            raise ValueError("an end not before the begin")


class Model(Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    name: str = ""
    count: Annotated[int, Meta(ge=1, le=9)] | None = None
    share: Annotated[float, Meta(ge=0, le=1)] = 0.0
    on: bool = False
    level: Literal["I", "II"] | None = None
    grade: Literal[1, 2] | None = None
    colour: Colour | None = None
    at: datetime | None = None
    from_: date | None = None
    length: timedelta | None = None
    regions: tuple[Region, ...] = ()
    words: frozenset[str] = frozenset()
    numbers: dict[str, int] | None = None
    place: Place | None = None
    steps: list[Wait | Notify] = []
    window: Window | None = None
    rest: Any = None
    node: Node | None = None
    either: int | bool | None = None


def load(text: str) -> Model:
    return yaml_marks.load(text, "m.yaml", Model)


def mistakes_of(text: str) -> list[str]:
    with pytest.raises(Mistakes) as caught:
        load(text)
    return [mistake.with_line.removeprefix("m.yaml:") for mistake in caught.value.mistakes]


def test_a_full_model_is_read() -> None:
    model = load(
        """
        name: 3
        count: 3
        share: 0.5
        on: true
        level: II
        grade: 2
        colour: blue
        at: 2026-03-02T09:10:00+08:00
        from: 2026-03-02
        length: 4h
        regions: [CN, NO]
        words: [a, b, a]
        numbers: {x: 1}
        place: {city: Tianjin, tags: [port]}
        steps: [{kind: wait, length: 60m}, {kind: notify, to: duty}]
        window: {begin: 1, end: 2}
        rest: {a: [1, ~, {b: c}]}
        node: {deep: 1}
        either: true
        """
    )

    assert model == Model(
        name="3",
        count=3,
        share=0.5,
        on=True,
        level="II",
        grade=2,
        colour=Colour.BLUE,
        at=datetime.fromisoformat("2026-03-02T09:10:00+08:00"),
        from_=date(2026, 3, 2),
        length=timedelta(hours=4),
        regions=(Region("CN"), Region("NO")),
        words=frozenset({"a", "b"}),
        numbers={"x": 1},
        place=Place("Tianjin", tags=["port"]),
        steps=[Wait(timedelta(hours=1)), Notify("duty")],
        window=Window(1, 2),
        rest={"a": ["1", None, {"b": "c"}]},
        node=model.node,
        either=True,
    )
    assert isinstance(model.node, yaml_marks.Mapping)
    assert isinstance(model.node.get("deep"), Scalar)


def test_nothing_given_is_the_default_and_null_is_none() -> None:
    assert load("count: ~\ncolour:\nat: null\nname:\nregions: ~\nrest: ~\n") == Model()


def test_every_mistake_is_told_at_its_place() -> None:
    text = """name: [a]
count: 10
share: 1.5
on: 'true'
level: V
colour: rde
at: 2026-03-02
length: soon
regions: [CN, NOR, ]
numbers: {x: y}
place: {zone: 1}
steps: [{kind: wiat}, {to: duty}, {kind: notify, to: duty, cc: x}]
window: {begin: 2, end: 1}
words: a
either: maybe
colr: red
"""

    fields = (
        "at, colour, count, either, from, grade, length, level, name, node, numbers, on, place, regions, "
    )
    fields += "rest, share, steps, window, words"
    assert mistakes_of(text) == [
        "1: name: found a list, expected text",
        "2: count: found '10', expected at most 9",
        "3: share: found '1.5', expected at most 1",
        "4: on: found the quoted text 'true', expected true or false",
        "5: level: found 'V', expected one of I, II",
        "6: colour: found 'rde', expected one of red, blue (did you mean 'red'?)",
        "7: at: found '2026-03-02', expected a time with offset such as 2026-03-02T09:10:00+08:00",
        "8: length: found 'soon', expected a duration such as 90s, 60m, 4h or 30d",
        "9: regions[1]: found 'NOR', expected a region of two letters",
        "10: numbers.x: found 'y', expected a whole number",
        "11: place.city: found nothing, expected text",
        "12: steps[0].kind: found 'wiat', expected one of wait, notify (did you mean 'wait'?)",
        "12: steps[1].kind: found nothing, expected one of wait, notify",
        "12: steps[2].cc: found an unknown field 'cc', expected one of to",
        "13: window: found values that do not fit together, expected an end not before the begin",
        "14: words: found 'a', expected a list",
        "15: either: found 'maybe', expected a whole number or true or false",
        f"16: colr: found an unknown field 'colr', expected one of {fields} (did you mean 'colour'?)",
    ]


@pytest.mark.parametrize("text", ["- a\n", "text\n", ""])
def test_a_model_needs_a_mapping(text: str) -> None:
    (mistake,) = mistakes_of(text)

    assert mistake.endswith("expected a mapping")


def test_a_required_value_that_is_null_is_missing() -> None:
    assert mistakes_of("place: {city: ~}\n") == ["1: place.city: found nothing, expected text"]


def test_a_long_value_is_shortened_in_its_mistake() -> None:
    (mistake,) = mistakes_of(f"count: {'x' * 500}\n")

    assert len(mistake) < 120


def test_a_model_of_an_unreadable_type_is_the_programmers_mistake() -> None:
    with pytest.raises(TypeError, match="has no reading as YAML"):
        yaml_marks.load("1", "m.yaml", complex)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (tuple[int, ...], "a list"),
        (Region | None, "a region"),
        (Annotated[int, Meta(ge=1)], "a whole number"),
        (Colour, "one of red, blue"),
        (Model, "a mapping"),
    ],
)
def test_an_expectation_is_said_in_plain_words(kind: type, words: str) -> None:
    assert yaml_marks.decoding.expectation(kind) == words


def test_a_part_of_a_tree_can_be_decoded_alone() -> None:
    root = yaml_marks.read("window: {begin: 1, end: x}\n", "m.yaml")
    assert isinstance(root, yaml_marks.Mapping)
    part = root.get("window")
    assert part is not None

    with pytest.raises(Mistakes, match=r"m.yaml:1:25: unit.window.end: found 'x'"):
        yaml_marks.decode(part, Window, "unit.window")


def test_a_list_or_mapping_can_be_a_model_of_its_own() -> None:
    assert yaml_marks.load("[1, 2]", "m.yaml", tuple[int, ...]) == (1, 2)
    with pytest.raises(Mistakes, match=r"m.yaml:1:5: \[1\]: found 'x', expected a whole number"):
        yaml_marks.load("[1, x]", "m.yaml", list[int])
    with pytest.raises(Mistakes, match=r"m.yaml:1:1: \$: found a list, expected a mapping"):
        yaml_marks.load("[1]", "m.yaml", dict[str, int])


def test_a_bound_is_not_told_of_what_could_not_be_read() -> None:
    with pytest.raises(Mistakes) as caught:
        yaml_marks.load("[x]", "m.yaml", Annotated[list[int], Meta(min_length=1)])

    assert [mistake.path for mistake in caught.value.mistakes] == ["[0]"]


def test_a_name_that_stands_twice_hides_no_other_mistake() -> None:
    class Two(Struct, frozen=True):
        count: int
        flag: bool = False

    with pytest.raises(Mistakes) as caught:
        yaml_marks.load("count: many\nflag: yes\ncount: 3\n", "m.yaml", Two)

    assert [(one.line, one.path) for one in caught.value.mistakes] == [
        (1, "count"),
        (2, "flag"),
        (3, "count"),
    ]
