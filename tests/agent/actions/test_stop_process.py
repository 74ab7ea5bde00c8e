"""A process ends, or it is told why not."""

import pytest

from agent.actions import BadParametersError
from agent.actions.stop_process import StopProcess
from tests.agent.actions.asking import Noted, asked


def test_it_ends_the_process_that_was_named() -> None:
    powers = Noted()

    finished = StopProcess(powers).carry_out(asked("stop_process", late=7, pid=77, program="/opt/x"))

    assert powers.did == [("stop", 77, "/opt/x", 7.0)]
    assert finished.detail == {"process": "ended", "pid": 77, "program": "/opt/x"}


def test_a_dry_run_tells_whether_it_runs() -> None:
    powers = Noted()

    finished = StopProcess(powers).carry_out(asked("stop_process", pid=77, program="/opt/x", dry_run=True))

    assert powers.did == [("look", 77, "/opt/x", 0.0)]
    assert (finished.detail["would"], finished.detail["process"]) == ("stop", "running")


def test_what_is_never_stopped_is_refused() -> None:
    with pytest.raises(BadParametersError, match="the agent's own"):
        StopProcess(Noted(forbids="the agent's own")).carry_out(asked("stop_process", pid=77, program="/x"))
