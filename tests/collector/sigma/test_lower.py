"""What Sigma's modifiers say is what the nodes say of an event; what no node can do is refused."""

from typing import Any

import pytest
from sigma.collection import SigmaCollection
from sigma.rule import SigmaRule

from collector.sigma.lower import LoweringError, any_of, lower
from wire.program import And, Net, Node, Not, Number, Or, Pattern, Same, Text, There

RULE = """
title: t
logsource: {{product: linux, category: process_creation}}
detection:
  one: {one}
  condition: {condition}
"""


def lowered(one: str, condition: str = "one", log: Any = "process") -> Node:  # noqa: ANN401 - a literal of the program
    (rule,) = SigmaCollection.from_yaml(RULE.format(one=one, condition=condition)).rules
    assert isinstance(rule, SigmaRule)
    return any_of([lower(each.parsed, log) for each in rule.detection.parsed_condition])


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        ("{Image: /bin/nc}", Text("Image", "is", ["/bin/nc"])),
        ("{Image|endswith: [/nc, /ncat]}", Text("Image", "ends", ["/nc", "/ncat"])),
        ("{Image|startswith: /tmp/}", Text("Image", "starts", ["/tmp/"])),
        ("{CommandLine|contains: ' -e '}", Text("CommandLine", "has", [" -e "])),
        (
            "{CommandLine|contains|all: [a, b]}",
            And([Text("CommandLine", "has", ["a"]), Text("CommandLine", "has", ["b"])]),
        ),
        ("{Image: '/tmp/*.sh'}", Text("Image", "like", ["/tmp/*.sh"])),
        ("{Image: '/tmp/a?'}", Text("Image", "like", ["/tmp/a?"])),
        ("{Image: '/tmp/\\*'}", Text("Image", "is", ["/tmp/*"])),
        ("{Image|cased: NC}", Text("Image", "is", ["NC"], cased=True)),
        ("{ProcessId: 7}", Text("ProcessId", "is", ["7"])),
        ("{ProcessId|gte: 7}", Number("ProcessId", "gte", 7.0)),
        ("{Image|re: '^/x'}", Pattern("Image", "^/x")),
        ("{Image|re|i: '^/x'}", Pattern("Image", "^/x", "i")),
        ("{User: null}", There("User", yes=False)),
        ("{User|exists: true}", There("User", yes=True)),
        ("{Image|fieldref: ParentImage}", Same("Image", "ParentImage")),
        (
            "{CommandLine|windash|contains: ' -x'}",
            Text("CommandLine", "has", [" -x", " /x", " –x", " —x", " ―x"]),
        ),
        ("{CommandLine|base64: abc}", Text("CommandLine", "is", ["YWJj"])),
        (
            "[{Image: /a}, {Image: /b}, {User: c}]",
            Or([Text("Image", "is", ["/a", "/b"]), Text("User", "is", ["c"])]),
        ),
    ],
)
def test_a_modifier_means_what_sigma_says(one: str, expected: Node) -> None:
    found = lowered(one)

    if isinstance(found, Text) and isinstance(expected, Text):
        assert sorted(found.values) == sorted(expected.values)
        assert (found.field, found.how, found.cased) == (expected.field, expected.how, expected.cased)
    else:
        assert found == expected


def test_networks_and_negations() -> None:
    cidr = lowered("{DestinationIp|cidr: 10.0.0.0/8}", "not one", "network")

    assert cidr == Not(Net("DestinationIp", ["10.0.0.0/8"]))


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        ("[failed, 'x*y']", {("has", "failed"), ("like", "*x*y*")}),
        ("['*tail']", {("has", "tail")}),
        ("[4711]", {("has", "4711")}),
    ],
)
def test_a_keyword_stands_anywhere_in_the_text(one: str, expected: set[tuple[str, str]]) -> None:
    node = lowered(one, log="line")
    parts = node.of if isinstance(node, Or) else [node]

    assert {
        (part.how, value) for part in parts if isinstance(part, Text) for value in part.values
    } == expected


@pytest.mark.parametrize(
    ("one", "why"),
    [
        ("{Hashes: x}", "field 'Hashes': a node tells of a process event"),
        ("{Image|expand: '%admins%'}", "placeholder"),
        ("{Image|re: '(a+)+'}", "repeated"),
    ],
)
def test_what_no_node_can_do_is_refused_with_the_field(one: str, why: str) -> None:
    with pytest.raises(LoweringError, match=why):
        lowered(one)
