"""A program that was signed by mistake or malice still costs a node no more than a bounded look."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire.messages import MAX_SIGNED
from wire.program import (
    MAX_DEPTH,
    And,
    Net,
    Node,
    Not,
    Number,
    Or,
    Pattern,
    Program,
    ProgramError,
    Rule,
    Same,
    Text,
    There,
    digest,
    encode_program,
    read_program,
)

MADE = datetime(2026, 3, 2, 9, tzinfo=UTC)
text = st.text(max_size=12)
fields = st.sampled_from(["Image", "CommandLine", "", "DestinationIp"])
leaves: st.SearchStrategy[Node] = st.one_of(
    st.builds(
        Text,
        fields,
        st.sampled_from(["is", "has", "starts", "ends", "like"]),
        st.lists(text, min_size=1, max_size=4),
        st.booleans(),
    ),
    st.builds(
        Pattern, fields, st.sampled_from(["a+b", "^x", "[0-9]{2,4}"]), st.sampled_from(["", "i", "ims"])
    ),
    st.builds(Net, fields, st.just(["10.0.0.0/8", "2001:db8::/32"])),
    st.builds(Number, fields, st.sampled_from(["lt", "lte", "gt", "gte"]), st.integers(-9, 9).map(float)),
    st.builds(Same, fields, fields, st.sampled_from(["is", "starts", "ends"])),
    st.builds(There, fields, st.booleans()),
)
nodes = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(And, st.lists(inner, min_size=1, max_size=3)),
        st.builds(Or, st.lists(inner, min_size=1, max_size=3)),
        st.builds(Not, inner),
    ),
    max_leaves=8,
)


def rule(when: Node, **changes: object) -> Rule:
    values = {"id": "r", "title": "t", "incident_class": "NAOTH", "severity": "low", "log": "process"}
    return Rule(**{**values, **changes}, when=when)  # type: ignore[arg-type]


def program(when: Node) -> Program:
    return Program(made_at=MADE, rules=[rule(when)])


@given(when=nodes)
def test_what_is_read_is_what_was_written(when: Node) -> None:
    assert read_program(encode_program(program(when))) == program(when)


def test_the_rules_alone_tell_two_programs_apart() -> None:
    later = Program(made_at=MADE + timedelta(hours=1), rules=program(There("a", yes=True)).rules)

    assert digest(later.rules) == digest(program(There("a", yes=True)).rules)
    assert digest(later.rules) != digest(program(There("a", yes=False)).rules)


@pytest.mark.parametrize(
    "pattern",
    ["(a+)+$", "^(\\w+\\s?)*$", "(a|aa)*b", "((ab)*)+", "(?:x{1,3})+", "(.*,){11,}P", "(", "a{2", "a" * 1001],
)
def test_an_expression_that_never_ends_or_is_none_is_refused(pattern: str) -> None:
    if pattern == "a{2":  # Python takes it literally, which ends
        assert read_program(encode_program(program(Pattern("f", pattern))))
        return
    with pytest.raises(ProgramError):
        read_program(encode_program(program(Pattern("f", pattern))))


@pytest.mark.parametrize("pattern", ["(?:curl|wget)\\s[^|]{1,400}", "[(+]+", "\\(a+\\)+", "(a+)b+", "x*y*"])
def test_an_expression_that_ends_is_taken(pattern: str) -> None:
    read_program(encode_program(program(Pattern("f", pattern))))


def test_depth_is_bounded_whichever_way_it_is_reached() -> None:
    deep: Node = There("f", yes=True)
    for _ in range(MAX_DEPTH):
        deep = Not(deep)
    with pytest.raises(ProgramError, match=r"rules\[0\] \(r\)"):
        read_program(encode_program(program(deep)))

    nested = b'{"op":"not","of":' * 100_000
    with pytest.raises(ProgramError):
        read_program(b'{"form":1,"made_at":"2026-03-02T09:00:00Z","rules":[{"when":' + nested)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"[]",
        b'{"form":2,"made_at":"2026-03-02T09:00:00Z","rules":[]}',
        b'{"form":1,"made_at":"2026-03-02T09:00:00","rules":[]}',
        msgspec.json.encode({"form": 1, "made_at": MADE, "rules": [{"id": "r"}]}),
    ],
)
def test_what_is_no_program_of_this_form_is_refused_with_the_reason(body: bytes) -> None:
    with pytest.raises(ProgramError, match=r"\w"):
        read_program(body)


def test_a_network_that_is_none_is_refused() -> None:
    with pytest.raises(ProgramError, match=r"10\.0\.0\.0/33"):
        read_program(encode_program(program(Net("f", ["10.0.0.0/33"]))))


def test_more_than_an_envelope_holds_is_refused_where_it_is_made() -> None:
    large = program(Text("f", "has", ["x" * 4000] * (MAX_SIGNED // 4000)))
    with pytest.raises(ProgramError, match="fewer rules"):
        encode_program(large)


@given(body=st.binary(max_size=300))
def test_no_bytes_do_more_than_be_refused(body: bytes) -> None:
    with pytest.raises(ProgramError):
        read_program(body)
