"""Pins are made once a content."""

from collector.plans.model import End, Plan, Start, Text
from collector.runs.pinning import Pins

TITLE = Text(zh="一", en="one")


def plan(title: str = "one") -> Plan:
    start = Start(title=Text(zh="始", en=title), next="end")
    return Plan(id="p", name=TITLE, steps={"start": start, "end": End(title=TITLE)})


def test_a_plan_is_pinned_once_until_a_reload_brings_new_plans() -> None:
    pins, before = Pins(), {"p": plan()}
    body, sha256 = pins.of(before["p"], before)
    assert pins.of(before["p"], before)[0] is body

    same = {"p": plan()}
    assert pins.of(same["p"], same)[1] == sha256
    other = {"p": plan("two")}
    assert pins.of(other["p"], other)[1] != sha256
