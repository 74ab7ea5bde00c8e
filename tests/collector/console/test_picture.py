"""A plan as a picture: every step once, nothing overlaps, nothing foreign gets in."""

import re
from typing import Any
from xml.etree import ElementTree as ET

from hypothesis import given, settings
from hypothesis import strategies as st

from collector.console.picture import HEIGHT, MAX_STEPS, SIGNS, WIDTH, Shown, picture

FORK = {
    "start": {"kind": "start", "next": "fork"},
    "fork": {"kind": "parallel", "branches": ["a", "b"], "next": "end"},
    "a": {"kind": "manual", "next": "c"},
    "c": {"kind": "wait"},
    "b": {"kind": "if-condition", "then": "d", "else": "e"},
    "d": {"kind": "wait", "on_failure": "f"},
    "e": {"kind": "wait"},
    "f": {"kind": "wait"},
    "end": {"kind": "end"},
}


def shown(steps: dict[str, Any], **states: str) -> dict[str, Shown]:
    return {name: Shown(name, states.get(name, ""), states.get(name, "")) for name in steps}


def boxes(svg: str) -> dict[str, tuple[float, float]]:
    """Where each step's box stands."""
    root = ET.fromstring(svg)  # noqa: S314 - what was just made here
    found = {}
    for box in root.iter("g"):
        rect, title = box.find("rect"), box.find("title")
        assert rect is not None
        assert title is not None
        found[str(title.text).split(":", maxsplit=1)[0]] = (float(rect.attrib["x"]), float(rect.attrib["y"]))
    return found


def test_branches_stand_side_by_side_below_their_step_and_join_above_what_follows() -> None:
    at = boxes(picture(FORK, "start", shown(FORK), "plan"))

    assert set(at) == set(FORK)
    assert at["a"][1] == at["b"][1] > at["fork"][1]
    assert at["a"][0] < at["b"][0]
    assert at["end"][1] > max(at["c"][1], at["d"][1], at["e"][1])
    assert at["f"][0] > max(x for name, (x, _) in at.items() if name != "f"), (
        "what answers a failure is aside"
    )


def test_a_state_has_a_sign_and_words_besides_its_colour() -> None:
    svg = picture(FORK, "start", shown(FORK, a="failed"), "plan")

    assert SIGNS["failed"] in svg
    assert "<title>a: failed</title>" in svg
    assert 'role="img" aria-labelledby="picture-title"' in svg


def test_words_of_a_plan_are_escaped_and_cut_to_two_lines() -> None:
    steps = {"start": {"kind": "start"}}
    words = "<script>alert(1)</script>" + "首页恢复" * 20
    svg = picture(steps, "start", {"start": Shown(words, "", "")}, words)

    assert "<script" not in svg
    assert "…" in svg
    assert len(re.findall(r"<text x=", svg)) == 2


def test_a_plan_too_large_to_be_looked_at_has_no_picture() -> None:
    steps = {f"s{number}": {"kind": "wait"} for number in range(MAX_STEPS + 1)}
    assert picture(steps, "s0", shown(steps), "plan") == ""
    assert picture({}, "start", {}, "plan") == ""


NAMES = st.sampled_from([f"s{number}" for number in range(12)])


@settings(max_examples=150)
@given(
    st.dictionaries(
        NAMES,
        st.fixed_dictionaries(
            {"kind": st.just("wait")},
            optional={"next": NAMES, "then": NAMES, "branches": st.lists(NAMES, max_size=3), "do": NAMES},
        ),
        min_size=1,
    )
)
def test_whatever_the_graph_every_step_stands_once_and_no_two_overlap(steps: dict[str, Any]) -> None:
    at = boxes(picture(steps, "s0", shown(steps), "plan"))

    assert set(at) == set(steps)
    places = list(at.values())
    for index, (x, y) in enumerate(places):
        for other_x, other_y in places[index + 1 :]:
            assert abs(x - other_x) >= WIDTH or abs(y - other_y) >= HEIGHT
