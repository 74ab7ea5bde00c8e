"""The files a command works with; once the settings are read, the command speaks their language."""

import argparse
import os

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
