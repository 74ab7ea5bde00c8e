"""The plan runner: one transition function over rows, resumable wherever it was killed.

`machine` moves, `course` says what becomes of a whole run, `starting` how one begins, `runner` is the flow,
`people` what people do to a run, `drill` a run without effects.
"""

from .drill import end_drill_run
from .people import (
    StepRefusedError,
    act_on_run,
    complete_step,
    give_up,
    pause_run,
    resume_run,
    retry_step,
    set_run_level,
    skip_step,
)
from .runner import Runner
from .starting import Starter, Warned

__all__ = [
    "Runner",
    "Starter",
    "StepRefusedError",
    "Warned",
    "act_on_run",
    "complete_step",
    "end_drill_run",
    "give_up",
    "pause_run",
    "resume_run",
    "retry_step",
    "set_run_level",
    "skip_step",
]
