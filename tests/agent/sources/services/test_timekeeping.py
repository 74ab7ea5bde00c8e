from datetime import UTC, datetime, timedelta

import pytest

from agent.sources.rounds.patrol import Round
from agent.sources.services.timekeeping import Kernel, Since, Timekeeping, TimekeepingSettings, ask_kernel

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
GOOD = Kernel(synchronised=True, max_error=0.2)


def look(
    offset: float | None, kernel: Kernel = GOOD, notes: Since | None = None, *, alone: bool = False
) -> Round:
    source = Timekeeping(
        TimekeepingSettings(grace=1800), state=None, offset=lambda: offset, kernel=lambda: kernel
    )
    return source.look(NOON, notes or Since(), alone=alone)


def test_a_clock_that_agrees_with_the_collector_and_the_kernel_is_no_matter() -> None:
    assert look(-4.0).findings == ()


@pytest.mark.parametrize(("offset", "severity", "shown"), [(-5.2, "medium", -5.2), (4321.0, "high", 4300)])
def test_a_clock_that_differs_from_the_collector_is_told(offset: float, severity: str, shown: float) -> None:
    (finding,) = look(offset).findings

    assert (finding.klass, finding.key, finding.severity_hint) == (
        "SHECONFIG",
        "timekeeping:offset",
        severity,
    )
    assert finding.evidence == [{"fault": "clock_differs", "found": shown, "allowed": "5 s"}]


def test_without_an_answer_of_the_collector_nothing_ends() -> None:
    assert look(None).blind == ("timekeeping:offset",)


@pytest.mark.parametrize(
    ("kernel", "fault"),
    [
        (Kernel(synchronised=False, max_error=16.0), "clock_not_synchronised"),
        (Kernel(synchronised=True, max_error=20.0), "clock_error_too_wide"),
    ],
)
def test_a_kernel_without_time_is_told_after_the_grace_of_a_start(kernel: Kernel, fault: str) -> None:
    first = look(0.0, kernel)
    assert first.findings == ()
    assert first.notes == Since(NOON)
    (finding,) = look(0.0, kernel, Since(NOON - timedelta(minutes=31))).findings

    assert finding.evidence == [{"fault": fault}]
    assert finding.first_seen == NOON - timedelta(minutes=31)
    assert look(0.0, kernel, alone=True).findings != ()


def test_a_kernel_that_does_not_say_is_named() -> None:
    def refuse() -> Kernel:
        raise PermissionError(1, "adjtimex refused")

    source = Timekeeping(state=None, kernel=refuse)

    assert source.look(NOON, Since(), alone=True).unreadable[0][0] == "adjtimex"


def test_the_kernel_at_hand_answers() -> None:
    assert ask_kernel().max_error >= 0
