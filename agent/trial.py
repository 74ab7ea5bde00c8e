"""A collector's settings over the node's own, for one world of the agent: laid, tried, kept or taken back.

    start in a trial   its time is over   -> rolled back before anything of it is used
                       else laid over     -> a collector answers: kept; none in what is left: rolled back

The time of a trial goes on over restarts, so that settings which let the agent die before a collector answers
hold for no longer than those that merely cut it off.
"""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Literal

from .backoff import Backoff
from .clock import Clock
from .settings import TRIAL_SECONDS, Held, Moment, Pushed, PushedError, Settings, overlaid
from .texts import say

_log = logging.getLogger("fengsui.agent")


class Trial:
    """What a collector has pushed, as it stood when this world was made."""

    def __init__(self, pushed: Pushed, clock: Clock, random: Callable[[], float], language: str) -> None:
        self._pushed = pushed
        self._clock = clock
        self._random = random
        self._language = language
        self.held = self._begin()

    def _begin(self) -> Held:
        """Return what is kept, after a trial whose time was over before this start is rolled back."""
        now = self._moment()
        try:
            held = self._pushed.start_clock(now)
            if held.state == "trial" and not held.left(now, TRIAL_SECONDS):
                self._roll_back(held.version)
        except OSError as error:
            self._say(logging.ERROR, "settings_disk_full", why=error, seconds=0)
        return self._pushed.read()

    @property
    def outdated(self) -> bool:
        """Whether other settings were pushed, or taken back, since."""
        return self._pushed.read().version != self.held.version

    def laid_over(self, settings: Settings) -> Settings:
        """Return the node's own settings with what was pushed over them, where that has no mistake now."""
        try:
            return overlaid(settings, self.held.settings)
        except PushedError as error:
            self._say(logging.ERROR, "pushed_unusable", why=error)
            return settings

    async def run(self, answered: asyncio.Event) -> Literal["kept", "rolled_back"]:
        """Return once a collector has answered under them, or none has in time.

        Args:
            answered: Set once a collector has confirmed something under these settings.
        """
        left = self.held.left(self._moment(), TRIAL_SECONDS)
        self._say(logging.WARNING, "settings_on_trial", version=self.held.version, seconds=left)
        try:
            async with asyncio.timeout(left):
                await answered.wait()
        except TimeoutError:
            await self.written(partial(self._roll_back, self.held.version))
            return "rolled_back"
        await self.written(partial(self._pushed.keep, self.held.version))
        self._say(logging.INFO, "settings_kept", version=self.held.version)
        return "kept"

    async def written(self, write: Callable[[], object]) -> None:
        """Write until the disk takes it: a full one ends no agent."""
        backoff = Backoff(self._random)
        while True:
            try:
                write()
            except OSError as error:
                wait = backoff.failed()
                self._say(logging.ERROR, "settings_disk_full", why=error, seconds=wait)
                await asyncio.sleep(wait)
            else:
                return

    def _roll_back(self, version: int) -> None:
        given_up = self._pushed.roll_back(version)
        why = say(self._language, "settings_silent", seconds=TRIAL_SECONDS)
        told = {"version": given_up.version, "before": given_up.before_version, "why": why}
        self._say(logging.ERROR, "settings_rolled_back", **told)

    def _moment(self) -> Moment:
        return Moment(self._clock.boot_id, self._clock.monotonic(), self._clock.now().timestamp())

    def _say(self, level: int, code: str, **values: object) -> None:
        _log.log(level, say(self._language, code, **values))
