"""Reading YAML: every mistake with its place, and no text that costs more than its size."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector import yaml_marks
from collector.yaml_marks import Mapping, Mistakes, Scalar, Sequence
from collector.yaml_marks.reading import MAX_CHARACTERS


def mistakes_of(text: str) -> list[str]:
    with pytest.raises(Mistakes) as caught:
        yaml_marks.read(text, "f.yaml")
    return [str(mistake) for mistake in caught.value.mistakes]


def test_every_value_stays_text_and_knows_its_place() -> None:
    root = yaml_marks.read("region: NO\nwhen: [12:30:00, 'yes']\n", "f.yaml")

    assert isinstance(root, Mapping)
    assert root.get("region") == Scalar(yaml_marks.Mark("f.yaml", 1, 9), "NO")
    when = root.get("when")
    assert isinstance(when, Sequence)
    assert [(item.text, item.plain) for item in when.items if isinstance(item, Scalar)] == [
        ("12:30:00", True),
        ("yes", False),
    ]


def test_an_empty_text_is_an_empty_value() -> None:
    root = yaml_marks.read("# nothing but a comment\n", "f.yaml")

    assert isinstance(root, Scalar)
    assert root.empty


def test_every_name_that_stands_twice_is_named() -> None:
    assert mistakes_of("a: 1\nb: 2\na: 3\nb: 4\n") == [
        "f.yaml:3:1: a: found the name 'a' again (first in line 1), expected every name once",
        "f.yaml:4:1: b: found the name 'b' again (first in line 2), expected every name once",
    ]


def test_a_tag_is_refused() -> None:
    (mistake,) = mistakes_of("a: !!python/object:os.system x\n")

    assert mistake.startswith(
        "f.yaml:1:4: $: found the tag tag:yaml.org,2002:python/object:os.system, expected no"
    )


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a: [1, 2\n", "f.yaml:2:1"),
        ("a: b: c\n", "f.yaml:1:5"),
        ("\ta: 1\n", "f.yaml:1:1"),
        ("a: *b\n", "f.yaml:1:4"),
    ],
)
def test_what_is_no_yaml_is_refused_at_its_place(text: str, place: str) -> None:
    (mistake,) = mistakes_of(text)

    assert mistake.startswith(f"{place}: ")


def test_a_forbidden_character_is_refused_in_its_line() -> None:
    (mistake,) = mistakes_of("a: 1\nb: \x00\n")

    assert mistake.startswith("f.yaml:2:1: $: found a character that YAML forbids")


def test_half_a_surrogate_pair_is_refused_in_its_line() -> None:
    assert mistakes_of("a: 1\nb: \ud800\n") == [
        "f.yaml:2:1: $: found half a surrogate pair, expected printable UTF-8 text"
    ]


@given(st.text(max_size=200) | st.text(alphabet="[]{}:,-&*!|>'\"#?% \n\tab1~", max_size=60))
def test_any_text_is_read_or_refused_with_its_mistakes(text: str) -> None:
    try:
        told = str(yaml_marks.read(text, "f.yaml"))
    except Mistakes as error:
        told = str(error)

    assert told


def test_a_zero_byte_stands_in_no_text_for_no_path_and_no_database_holds_one() -> None:
    with pytest.raises(Mistakes, match="found a zero byte in a text, expected text"):
        yaml_marks.read('a: "b\\0"', "u.yaml")


def test_a_second_document_is_refused() -> None:
    assert mistakes_of("a: 1\n---\nb: 2\n") == [
        "f.yaml:2:1: $: found a second document, expected one document a file"
    ]


def test_a_list_cannot_be_a_name() -> None:
    assert mistakes_of("? [a]\n: 1\n") == [
        "f.yaml:1:3: $: found a list or mapping as a name, expected plain text"
    ]


def test_a_file_of_brackets_ends_in_a_mistake_and_not_in_a_crash() -> None:
    assert "more than 40 levels" in mistakes_of("[" * 500_000)[0]


def test_aliases_count_as_what_they_stand_for() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]

    assert "more than 200000 values" in mistakes_of("\n".join(lines))[0]


def test_nested_aliases_count_their_depth() -> None:
    lines = ["- &a0 [x]", *(f"- &a{n} [*a{n - 1}]" for n in range(1, 60))]

    assert "more than 40 levels" in mistakes_of("\n".join(lines))[0]


def test_a_text_above_the_size_limit_is_not_read() -> None:
    assert mistakes_of("#" * (MAX_CHARACTERS + 1)) == [
        "f.yaml:1:1: $: found 1000001 characters, expected at most 1000000"
    ]
