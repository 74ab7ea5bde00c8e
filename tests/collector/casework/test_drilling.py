"""A drill that is over lets nobody be woken any more; a real incident is never ended this way."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from collector.casework.dossier import Cause, Dossier
from collector.casework.drilling import NoDrillError, end_for_drill

TEN = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
CAUSE = Cause(actor="user:li", reason="the drill is over")


def test_after_the_drill_nothing_is_owed_and_nothing_sounds(opened: Callable[..., Dossier]) -> None:
    dossier = opened(drill=True)
    assert dossier.armed

    end_for_drill(dossier, CAUSE, TEN)
    assert dossier.incident.state == "closed"
    assert {clock.state for clock in dossier.clocks.values()} == {"withdrawn"}
    assert dossier.armed == {}
    assert dossier.entries[-1].detail["drill_ended"] is True


def test_ending_it_twice_changes_nothing(opened: Callable[..., Dossier]) -> None:
    dossier = opened(drill=True)
    end_for_drill(dossier, CAUSE, TEN)
    told = len(dossier.entries)

    end_for_drill(dossier, CAUSE, TEN + timedelta(hours=1))
    assert (len(dossier.entries), dossier.incident.closed_at) == (told, TEN)


def test_a_real_incident_is_refused(opened: Callable[..., Dossier]) -> None:
    dossier = opened()

    with pytest.raises(NoDrillError, match="no drill's"):
        end_for_drill(dossier, CAUSE, TEN)
    assert dossier.incident.state == "open"
