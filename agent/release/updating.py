"""An update from the look at the mirror to the word of the new release, and the way back.

::

    settled --install into the spare slot--> current -> new slot, restart   (good -> old slot)
                                                |-- a collector answered it --> good -> new slot
                                                '-- no answer in time --------> current -> old slot, restart

Killed anywhere, the next call goes on from what the links say: a slot without its RELEASE.json is not there,
and `current` beside `good` is a trial whose time begins anew. Nothing is told of the links but by the links.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from wire.releases import Index, Offer

from ..texts import SaidError, say
from .choice import Host, choose
from .proof import Standing, read_standing, write_standing
from .slots import Release, Slot, Slots

_LOOK_SECONDS = 1.0


class Shelf(Protocol):
    """Where releases come from; `release.mirror` is one."""

    def index(self) -> Index:
        """Return what there is."""

    def fetch(self, offer: Offer) -> Path:
        """Return the file of an offer."""


class Outcome(Struct, frozen=True, kw_only=True):
    """What an update came to; `standing` is on the disk too."""

    standing: Standing
    changed: bool


class Ways(Struct, frozen=True, kw_only=True):
    """What an update does to the host.

    Fields:
        install: Puts a bundle into an empty slot.
        check: Asks the release in a slot whether it understands this node's settings; raises where not.
        restart: Lets the service manager start the agent anew.
        proved: The installation that a collector has answered last.
        now, steady, sleep, new_id: Time and randomness.
    """

    install: Callable[[Path, Path], None]
    check: Callable[[Path], None]
    restart: Callable[[], None]
    proved: Callable[[], str | None]
    now: Callable[[], datetime]
    steady: Callable[[], float]
    sleep: Callable[[float], None]
    new_id: Callable[[], str]


class Updater:
    """Updates one folder of releases.

    Args:
        slots: The folder.
        shelf: The mirror.
        ways: What is done to the host.
        host: What a bundle has to fit.
        patience: Seconds in which a collector has to answer a new release.
    """

    def __init__(self, slots: Slots, shelf: Shelf, ways: Ways, host: Host, *, patience: float) -> None:
        self._slots = slots
        self._shelf = shelf
        self._ways = ways
        self._host = host
        self._patience = patience

    def wanted(self) -> Offer | None:
        """Return what an update would install.

        Raises:
            SaidError: the folder or the mirror can't be used.
        """
        return choose(self._shelf.index(), self._running().version, self._host, self._standing().failed)

    def update(self) -> Outcome:
        """Bring a trial that was cut off to its end, then take what the mirror has.

        Raises:
            SaidError: the folder, the mirror or the bundle can't be used; what runs stays, and that the
                mirror or the bundle was refused is written down.
            OSError: the disk did not take it; what runs stays.
        """
        if unfinished := self.settle():
            return unfinished
        running = self._running()
        version = ""
        try:
            offer = self.wanted()
            if offer is None:
                return self._nothing_new(running)
            version = offer.version
            slot = self._install(offer)
        except (SaidError, OSError) as error:
            with suppress(OSError):  # a full disk must not hide why
                self._write(state="refused", version=version, before=running.version, why=str(error))
            raise
        self._write(state="trial", version=offer.version, before=running.version)
        self._slots.point("current", slot)
        self._ways.restart()
        return self._end_trial()

    def _nothing_new(self, running: Release) -> Outcome:
        """Take back what was said of a refusal, where the mirror has nothing any more that is refused."""
        if self._standing().state == "refused":
            self._write(state="current", version=running.version, before="")
        return Outcome(standing=self._standing(), changed=False)

    def settle(self) -> Outcome | None:
        """Bring a trial to its end; None where none is on.

        Raises:
            SaidError: the folder is none of releases.
        """
        self._running()
        if self._slots.named("current") == self._slots.named("good"):
            return None
        self._ways.restart()  # it may never have been; a second time does no harm
        return self._end_trial()

    def _end_trial(self) -> Outcome:
        before, trial = self._running(), self._slots.named("current")
        tried = self._slots.release(trial)
        if trial is not None and tried is not None and self._answered(tried):
            self._slots.point("good", trial)
            return self._end("installed", tried.version, before.version)
        # Written first: a kill between the two ends in going back as well, but never in trying it again.
        version = tried.version if tried else self._standing().version
        why = say("en", "release_silent", seconds=self._patience)
        failed = tuple(dict.fromkeys((*self._standing().failed, version)))
        outcome = self._end("rolled_back", version, before.version, why, failed)
        self._slots.go_back()
        self._ways.restart()
        return outcome

    def _answered(self, release: Release) -> bool:
        """Wait for the proof of this very installation; a version that is known to fail gets no time."""
        end = self._ways.steady() + self._patience
        while self._ways.proved() != release.installed:
            if release.version in self._standing().failed or self._ways.steady() >= end:
                return False
            self._ways.sleep(_LOOK_SECONDS)
        return True

    def _install(self, offer: Offer) -> Slot:
        bundle = self._shelf.fetch(offer)
        slot = self._slots.spare()
        try:
            path = self._slots.clear(slot)
            self._ways.install(bundle, path)
            self._ways.check(path)
            self._slots.complete(slot, Release(offer.version, self._ways.new_id()))
        except BaseException:
            with suppress(OSError):  # what is half there has no RELEASE.json, and is cleared next time
                self._slots.clear(slot)
            raise
        finally:
            bundle.unlink(missing_ok=True)
        return slot

    def _running(self) -> Release:
        release = self._slots.release(self._slots.named("good"))
        if release is None:
            raise SaidError("update_folder", path=self._slots.folder)
        return release

    def _standing(self) -> Standing:
        return read_standing(self._slots.folder)

    def _end(
        self,
        state: str,
        version: str,
        before: str,
        why: str = "",
        failed: tuple[str, ...] | None = None,
    ) -> Outcome:
        return Outcome(
            standing=self._write(state=state, version=version, before=before, why=why, failed=failed),
            changed=True,
        )

    def _write(
        self,
        *,
        state: str,
        version: str,
        before: str,
        why: str = "",
        failed: tuple[str, ...] | None = None,
    ) -> Standing:
        old = self._standing()
        standing = replace(
            old,
            state=state,
            version=version,
            before=before,
            why=why[:1000],
            at=self._ways.now(),
            failed=old.failed if failed is None else failed,
        )
        write_standing(self._slots.folder, standing)
        return standing
