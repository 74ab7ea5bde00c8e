"""Which years are looked after, and what they are by all that is known."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from ..regimes import Region
from .file import CalendarFile, overlay
from .library import library_year
from .year import CalendarYear


def regions_of(regions: Iterable[str], files: Sequence[CalendarFile]) -> list[str]:
    """Whose days are looked after: of every country given, and of every region with a file of its own."""
    countries = {Region(region).country for region in regions}
    return sorted(countries | {str(file.region) for file in files})


def known_years(
    regions: Iterable[str], files: Sequence[CalendarFile], years: Iterable[int]
) -> list[CalendarYear]:
    """The years of regions: an operator's file where there is one, else what the library knows."""
    own = {(str(file.region), file.year): file for file in files}
    wanted = {(region, year) for region in regions for year in years}
    return [overlay(own[key]) if key in own else library_year(*key) for key in sorted(wanted | own.keys())]


def years_around(now: datetime) -> range:
    """The year that is, the one before and the one to come."""
    return range(now.year - 1, now.year + 2)
