"""Rosters by the same working days as limits of law (pure)."""

from collections.abc import Mapping

from ..escalation import Roster
from ..regimes import Calendars, Region


def counted(rosters: Mapping[str, Roster], calendars: Calendars) -> dict[str, Roster]:
    """Return rosters whose workdays and rest days go by the calendar that each names, where it names one.

    A year that nobody has decreed is not in `calendars`; there Monday to Friday are worked, for somebody has
    to be on duty.
    """
    return {
        unit: roster.counted_by(calendars.of(Region(roster.calendar)).days) if roster.calendar else roster
        for unit, roster in rosters.items()
    }
