"""The files a command works with; once the settings are read, the command speaks their language."""

import argparse
import os
from datetime import datetime

from msgspec import structs

from ..settings import Settings, read_settings
from ..world import World, load_world, read_text
from .telling import language_of


def settings_of(args: argparse.Namespace) -> Settings:
    """Return the settings that `--config` names.

    Raises:
        Mistakes: every mistake of the file.
        PermanentError: it can't be read.
    """
    settings = read_settings(read_text(args.config), args.config, os.environ)
    language_of(args, settings.language)
    return settings


def world_of(args: argparse.Namespace) -> World:
    """Return the settings that `--config` names with everything that they name.

    Raises:
        Mistakes: every mistake of every file, told in the language of the settings.
        PermanentError: a file can't be read.
    """
    settings_of(args)
    return load_world(args.config, os.environ)


def with_working_days(world: World, begin: datetime, end: datetime) -> World:
    """Return a world whose rosters go by the working days of their calendars between two moments.

    The libraries and the operator's files are asked, as a collector asks them for its table.
    """
    named = {roster.calendar for roster in world.rosters.values() if roster.calendar}
    if not named:
        return world
    from ..workdays import calendars_of, counted, known_years, regions_of  # noqa: PLC0415 - most worlds need none

    years = range(begin.year - 1, end.year + 2)
    days = calendars_of(known_years(regions_of(named, world.calendars), world.calendars, years))
    return structs.replace(world, rosters=counted(world.rosters, days))
