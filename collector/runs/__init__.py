"""The plan runner: one transition function over rows, resumable wherever it was killed.

`machine` moves, `runner` is the flow, `people` what people do to a run, `drill` a run without effects.
"""

from .people import StepRefusedError, complete_step, give_up, skip_step
from .runner import Runner

__all__ = ["Runner", "StepRefusedError", "complete_step", "give_up", "skip_step"]
