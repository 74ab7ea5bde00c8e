from inspect import signature

from collector.desk import CompleteStep, Move
from collector.runs.people import complete_step
from tests.browser.watch_room import casework, shipped_registry


def test_casework_and_runs_take_what_the_desk_gives() -> None:
    for port, real in ((Move, casework(shipped_registry()).move), (CompleteStep, complete_step)):
        given = [name for name in signature(port.__call__).parameters if name != "self"]
        assert len(signature(real).parameters) == len(given)
