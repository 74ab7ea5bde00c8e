"""A condition says of every event what its words say, as a plain reading of the same words finds."""

import fnmatch
import re
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.rules.events import Event
from agent.rules.matching import build
from wire.program import And, How, Net, Node, Not, Number, Or, Pattern, Same, Text, There

words = st.text(alphabet="abAB/.-*?\\ ", max_size=6)
events = st.dictionaries(st.sampled_from(["Image", "CommandLine"]), words).map(
    lambda fields: Event("process", fields)
)
texts = st.builds(
    Text,
    st.sampled_from(["Image", "CommandLine"]),
    st.sampled_from(["is", "has", "starts", "ends"]),
    st.lists(words, min_size=1, max_size=3),
    st.booleans(),
)


def plain(node: Node, event: Event) -> bool:
    """The same question, asked word by word."""
    match node:
        case And(of=parts):
            return all(plain(part, event) for part in parts)
        case Or(of=parts):
            return any(plain(part, event) for part in parts)
        case Not(of=part):
            return not plain(part, event)
        case Text(field=field, how=how, values=values, cased=cased):
            found = event.fields.get(field)
            return found is not None and any(compares(found, how, value, cased=cased) for value in values)
        case _:
            raise AssertionError(node)


def compares(found: str, how: How, value: str, *, cased: bool) -> bool:
    if not cased:
        found, value = found.lower(), value.lower()
    return {
        "is": found == value,
        "has": value in found,
        "starts": found[: len(value)] == value,
        "ends": not value or found[-len(value) :] == value,
    }[how]


conditions = st.recursive(
    texts,
    lambda inner: st.one_of(
        st.builds(And, st.lists(inner, min_size=1, max_size=4)),
        st.builds(Or, st.lists(inner, min_size=1, max_size=4)),
        st.builds(Not, inner),
    ),
    max_leaves=10,
)


@given(condition=conditions, event=events)
def test_a_condition_holds_where_a_plain_reading_says_so(condition: Node, event: Event) -> None:
    assert build(condition)(event) == plain(condition, event)


@given(text=st.text(alphabet="ab.s", max_size=6), glob=st.text(alphabet="ab.s*?", max_size=6))
def test_wildcards_mean_what_they_mean_to_a_shell(text: str, glob: str) -> None:
    event = Event("file", {"TargetFilename": text})

    expected = re.fullmatch(fnmatch.translate(glob), text) is not None
    assert build(Text("TargetFilename", "like", [glob]))(event) == expected


def test_a_backslash_takes_a_wildcards_meaning_away() -> None:
    holds = build(Text("CommandLine", "like", [r"rm \*\\x?"]))

    assert holds(Event("process", {"CommandLine": "rm *\\xy"}))
    assert not holds(Event("process", {"CommandLine": "rm all\\xy"}))


@given(number=st.integers(0, 2**32 - 1), prefix=st.integers(0, 32))
def test_an_address_lies_in_a_network_or_not(number: int, prefix: int) -> None:
    network = ip_network((number >> (32 - prefix) << (32 - prefix) if prefix else 0, prefix))
    address = ip_address(number ^ 0x1010)

    event = Event("network", {"DestinationIp": str(address)})
    assert build(Net("DestinationIp", [str(network)]))(event) == (address in network)


@pytest.mark.parametrize("told", [None, "", "no-address", "300.1.1.1"])
def test_what_is_no_address_lies_nowhere(told: str | None) -> None:
    event = Event("network", {} if told is None else {"DestinationIp": told})

    assert not build(Net("DestinationIp", ["0.0.0.0/0", "::/0"]))(event)


@pytest.mark.parametrize(
    ("node", "fields", "expected"),
    [
        (Number("DestinationPort", "gte", 1024), {"DestinationPort": "1024"}, True),
        (Number("DestinationPort", "gt", 1024), {"DestinationPort": "1024"}, False),
        (Number("DestinationPort", "lt", 80), {"DestinationPort": "http"}, False),
        (Number("DestinationPort", "lt", 80), {}, False),
        (Same("Image", "ParentImage"), {"Image": "/a", "ParentImage": "/A"}, True),
        (Same("Image", "ParentImage", "starts"), {"Image": "/a/b", "ParentImage": "/a"}, True),
        (Same("Image", "ParentImage", "ends"), {"Image": "/a/b", "ParentImage": "/b"}, True),
        (Same("Image", "ParentImage"), {"Image": "/a"}, False),
        (There("User", yes=True), {"User": ""}, False),
        (There("User", yes=False), {}, True),
        (Pattern("CommandLine", "^NC "), {"CommandLine": "nc -l"}, False),
        (Pattern("CommandLine", "^NC ", "i"), {"CommandLine": "nc -l"}, True),
        (Pattern("CommandLine", "x"), {}, False),
        (Not(Text("User", "is", ["root"])), {}, True),
    ],
)
def test_what_is_not_told_compares_to_nothing(node: Node, fields: dict[str, str], expected: bool) -> None:  # noqa: FBT001 - a table
    assert build(node)(Event("process", fields)) is expected
