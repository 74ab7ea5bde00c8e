"""What the agent senses: one sensor a file behind `port.py`, in the order in which they run.

A new sensor is its file, its twin test, a line in `SOURCES`, its settings in `SourcesSettings`, a line in
`build`, and a section of `docs/wire.md`.
"""

from pathlib import Path

from msgspec import Struct

from .asset import Asset, AssetSettings, DeclaredAsset
from .bursts import BurstSettings
from .exits import Exits, ExitsSettings
from .files import Files, FilesSettings
from .logins import Logins, LoginsSettings
from .port import Clock, Emit, Observation, Reading, Source, Unreadable
from .ranges import INTERNAL, Ranges
from .sensorlog import SensorLogSettings
from .sockets import Sockets, SocketsSettings
from .suricata import Suricata
from .webroot import WebRoot, accept
from .zeek import Zeek

SOURCES: tuple[type[Asset | Exits | Sockets | Files | Logins | Suricata | Zeek], ...] = (
    Asset,
    Exits,
    Sockets,
    Files,
    Logins,
    Suricata,
    Zeek,
)


class SourcesSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The settings of all sources.

    Fields:
        internal_ranges: Networks that are inside; what a connection reaches beyond them is "outside".
    """

    internal_ranges: tuple[str, ...] = INTERNAL
    asset: AssetSettings = AssetSettings()
    exits: ExitsSettings = ExitsSettings()
    sockets: SocketsSettings = SocketsSettings()
    files: FilesSettings = FilesSettings()
    logins: LoginsSettings = LoginsSettings()
    suricata: SensorLogSettings = SensorLogSettings()
    zeek: SensorLogSettings = SensorLogSettings()


def build(settings: SourcesSettings, state: Path | None, root: Path = Path("/")) -> tuple[Source, ...]:
    """Return the sources that are enabled.

    Args:
        settings: Theirs.
        state: The agent's state folder; without it they can look once, and not watch.
        root: Where the host's /proc, /sys, /etc and /var are.
    """
    ranges = Ranges(settings.internal_ranges)
    sources: tuple[tuple[bool, Source], ...] = (
        (settings.asset.enabled, Asset(settings.asset, root=root)),
        (settings.exits.enabled, Exits(settings.exits, ranges=ranges, root=root)),
        (
            settings.sockets.enabled,
            Sockets(settings.sockets, internal_ranges=settings.internal_ranges, root=root),
        ),
        (bool(settings.files.roots), Files(settings.files, state=state, root=root)),
        (settings.logins.enabled, Logins(settings.logins, state=state, root=root)),
        (bool(settings.suricata.files), Suricata(settings.suricata, state=state, root=root)),
        (bool(settings.zeek.files), Zeek(settings.zeek, state=state, root=root)),
    )
    return tuple(source for enabled, source in sources if enabled)


__all__ = [
    "SOURCES",
    "Asset",
    "AssetSettings",
    "BurstSettings",
    "Clock",
    "DeclaredAsset",
    "Emit",
    "Exits",
    "ExitsSettings",
    "Files",
    "FilesSettings",
    "Logins",
    "LoginsSettings",
    "Observation",
    "Ranges",
    "Reading",
    "SensorLogSettings",
    "Sockets",
    "SocketsSettings",
    "Source",
    "SourcesSettings",
    "Suricata",
    "Unreadable",
    "WebRoot",
    "Zeek",
    "accept",
    "build",
]
