"""The settings a command works with: the file, then the environment, then the flags."""

import argparse
import os
from pathlib import Path

from msgspec import structs

from wire.language import spoken

from ..settings import Mistake, Settings, SettingsError, read
from ..sources import DeclaredAsset, SourcesSettings
from ..texts import SaidError

DEFAULT_CONFIG = Path("/etc/fengsui/agent.yaml")
# Given once at the top of the file; the sources get them from there.
_HIDDEN = frozenset({"sources.internal_ranges", "sources.asset.unit", "sources.asset.assets"})


def load(args: argparse.Namespace) -> Settings:
    """Return the settings a command line asks for.

    Args:
        args: `config`, `state_dir` and `lang`, each None where not given. Without a file named, the one in
            /etc is read if there is one.

    Raises:
        SettingsError: every mistake of the file.
        SaidError: the file can't be read.
    """
    named = args.config or os.environ.get("FENGSUI_CONFIG")
    if named is None and not DEFAULT_CONFIG.exists():
        settings = parse("", str(DEFAULT_CONFIG))
    else:
        settings = load_file(Path(named or DEFAULT_CONFIG))
    asked = args.state_dir or os.environ.get("FENGSUI_STATE_DIR")
    # What a person types counts from where they are, what stands in a file from where the file lies.
    state_dir = asked or str(Path(named or DEFAULT_CONFIG).absolute().parent / settings.state_dir)
    # What the command says from now on, refusals included, is in the language of these settings.
    args.spoken = spoken(args.lang, os.environ, settings.language)
    return structs.replace(settings, state_dir=state_dir, language=args.spoken)


def load_file(path: Path) -> Settings:
    """Return the settings of a file.

    Raises:
        SettingsError: every mistake of the file.
        SaidError: the file can't be read.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SaidError("settings_unreadable", file=path, why=error.strerror or error) from None
    try:
        return parse(content.decode("utf-8"), str(path))
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8").split("\n")
        found = f"the byte 0x{content[error.start]:02x}"
        mistake = Mistake(str(path), len(before), len(before[-1]) + 1, "", found, "text in UTF-8")
        raise SettingsError([mistake]) from None


def parse(text: str, file: str) -> Settings:
    """Return the settings of a text, with what stands at the top handed to the sources.

    Raises:
        SettingsError: every mistake of the text.
    """
    kinds = {"sources": SourcesSettings, "assets": tuple[DeclaredAsset, ...]}
    settings = read(text, file, kinds, _HIDDEN)
    sources = settings.sources or SourcesSettings()
    ranges = settings.internal_ranges
    asset = structs.replace(sources.asset, unit=settings.unit, assets=settings.assets)
    sources = structs.replace(
        sources, asset=asset, internal_ranges=sources.internal_ranges if ranges is None else ranges
    )
    return structs.replace(settings, sources=sources)
