"""Whether this host's clock is right: what the kernel knows of it, and what the collector's clock says.

    adjtimex(2)   not synchronised, or the kernel's own bound of the error is too wide
    collector     the `Date` of its answers against the time between question and answer

The kernel's word alone is not enough: a host whose time service follows a wrong server is synchronised and
wrong. A clock that is off makes every log and every deadline of this node worth less; it never keeps a report
back, and it is told.
"""

import ctypes
import math
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, ClassVar, NamedTuple

from msgspec import Meta, Struct

from ...bounded import Seconds
from ...budget import Budget
from ..rounds.matters import Finding
from ..rounds.patrol import Patrol, Round

CLASS = "SHECONFIG"
_STA_UNSYNC = 0x0040
_TIME_ERROR = 5


class TimekeepingSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of the timekeeping source.

    Fields:
        max_offset: Seconds that host and collector may differ.
        max_error: Seconds that the kernel's bound of the error may be.
        grace: Seconds it may be unsynchronised, as it is after a start.
    """

    enabled: bool = True
    max_offset: Annotated[float, Meta(gt=0)] = 5.0
    max_error: Annotated[float, Meta(gt=0)] = 16.0
    grace: Annotated[float, Meta(ge=0)] = 1800.0
    poll: Seconds = 60.0
    budget: Budget = Budget()


class Kernel(NamedTuple):
    """What the kernel knows of its clock."""

    synchronised: bool
    max_error: float


class _Timex(ctypes.Structure):
    """struct timex of adjtimex(2); what follows `esterror` and `status` is not read here."""

    _fields_: ClassVar[list[tuple[str, Any]]] = [
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    ]


def ask_kernel() -> Kernel:
    """Return what the kernel knows.

    Raises:
        OSError: it does not say.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    timex = _Timex()
    state = int(libc.adjtimex(ctypes.byref(timex)))
    if state < 0:
        raise OSError(ctypes.get_errno(), "adjtimex refused")
    synchronised = state != _TIME_ERROR and not timex.status & _STA_UNSYNC
    return Kernel(synchronised, timex.maxerror / 1e6)


class Since(Struct, frozen=True):
    """Since when the kernel's clock has not been synchronised."""

    unsynchronised: datetime | None = None


class Timekeeping(Patrol[Since]):
    """The timekeeping source.

    Args:
        offset: The host's clock minus the collector's in seconds, None where no answer came lately.
        kernel: Asks the kernel.
    """

    name = "timekeeping"
    notes_kind = Since

    def __init__(
        self,
        settings: TimekeepingSettings | None = None,
        *,
        state: Path | None,
        offset: Callable[[], float | None] = lambda: None,
        kernel: Callable[[], Kernel] = ask_kernel,
    ) -> None:
        self._settings = settings or TimekeepingSettings()
        self._offset = offset
        self._kernel = kernel
        super().__init__(poll=self._settings.poll, budget=self._settings.budget, state=state)

    def look(self, now: datetime, notes: Since, *, alone: bool) -> Round:
        """Ask the kernel, and take what the collector's last answer said."""
        offset = self._offset()
        blind: list[str] = [] if offset is not None else ["timekeeping:offset"]
        findings = (
            [self._off(offset)] if offset is not None and abs(offset) > self._settings.max_offset else []
        )
        try:
            kernel = self._kernel()
        except OSError as error:
            blind.append("timekeeping:kernel")
            return Round(findings=tuple(findings), unreadable=(("adjtimex", str(error)),), blind=tuple(blind))
        good = kernel.synchronised and kernel.max_error <= self._settings.max_error
        since = None if good else min(notes.unsynchronised or now, now)
        grace = timedelta() if alone else timedelta(seconds=self._settings.grace)
        if since is not None and now - since >= grace:
            findings.append(_unsynchronised(kernel, since))
        changed = (since is None) != (notes.unsynchronised is None)
        return Round(findings=tuple(findings), blind=tuple(blind), notes=Since(since) if changed else None)

    def _off(self, offset: float) -> Finding:
        return Finding(
            key="timekeeping:offset",
            klass=CLASS,
            severity_hint="high" if abs(offset) >= 60 * self._settings.max_offset else "medium",
            target="clock",
            # Two digits: a clock that drifts on slowly is no news.
            evidence=[
                {
                    "fault": "clock_differs",
                    "found": round(offset, 1 - math.floor(math.log10(abs(offset)))),
                    "allowed": f"{self._settings.max_offset:g} s",
                }
            ],
        )


def _unsynchronised(kernel: Kernel, since: datetime) -> Finding:
    fault = "clock_error_too_wide" if kernel.synchronised else "clock_not_synchronised"
    return Finding(
        key="timekeeping:kernel",
        klass=CLASS,
        severity_hint="low",
        target="clock",
        first_seen=since,
        evidence=[{"fault": fault}],
    )
