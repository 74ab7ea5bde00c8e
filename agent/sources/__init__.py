"""What the agent senses: one sensor a file behind `port.py`, in the order in which they run.

Each room has the sensors of one idea and what they need: `network`, `programs`, `pages`, `logs`, `host`,
`services`; `rounds` is how all of them look. A new sensor is its file, its twin test, a line in `SOURCES`,
its settings in `SourcesSettings`, a line in `build`, and a section of `docs/wire.md`.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from .host.asset import Asset, AssetSettings, DeclaredAsset
from .host.logfiles import LogFiles, LogsSettings
from .host.persistence import Persistence, PersistenceSettings
from .host.privileges import Privileges, PrivilegesSettings
from .host.setuid import Setuid, SetuidSettings
from .logs.bursts import BurstSettings
from .logs.logins import Logins, LoginsSettings
from .logs.rules import Rules, RulesSettings
from .logs.sensorlog import SensorLogSettings
from .logs.suricata import Suricata
from .logs.zeek import Zeek
from .network import exchanges
from .network.exits import Exits, ExitsSettings
from .network.packets import Packets, PacketsSettings
from .network.reach import refusal
from .network.sockets import Sockets, SocketsSettings
from .network.webmail import Webmail
from .pages.files import Files, FilesSettings
from .pages.webroot import WebRoot, accept
from .port import Clock, Emit, Observation, Reading, Source, Unreadable
from .programs.malware import Malware, MalwareSettings
from .programs.processes import Processes, ProcessesSettings
from .ranges import INTERNAL, Ranges
from .rounds.patrol import Patrol
from .services.backups import Backups, BackupsSettings
from .services.certificates import Certificates, CertificatesSettings
from .services.outages import Outages, OutagesSettings
from .services.sensors import Sensors, SensorsSettings
from .services.timekeeping import Timekeeping, TimekeepingSettings

_Kind = Asset | Exits | Sockets | Files | Logins | Suricata | Zeek | Packets | Rules | Patrol[Any]
SOURCES: tuple[type[_Kind], ...] = (
    Asset,
    Exits,
    Sockets,
    Files,
    Logins,
    Suricata,
    Zeek,
    Packets,
    Processes,
    Persistence,
    Privileges,
    Setuid,
    LogFiles,
    Malware,
    Outages,
    Backups,
    Certificates,
    Timekeeping,
    Rules,
    Sensors,
)

# Seconds after the agent's start at which a source looks first. What watches the ways out, logs and packets
# begins at once; these cost most, compare with what they remember and find the same a little later. Together
# with a start's own cost they would be more than a tenth of a core over ten seconds.
LATER: Mapping[str, float] = {"processes": 11.0, "persistence": 13.0, "setuid": 24.0, "malware": 36.0}


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
    packets: PacketsSettings = PacketsSettings()
    processes: ProcessesSettings = ProcessesSettings()
    persistence: PersistenceSettings = PersistenceSettings()
    privileges: PrivilegesSettings = PrivilegesSettings()
    setuid: SetuidSettings = SetuidSettings()
    logs: LogsSettings = LogsSettings()
    malware: MalwareSettings = MalwareSettings()
    outages: OutagesSettings = OutagesSettings()
    backups: BackupsSettings = BackupsSettings()
    certificates: CertificatesSettings = CertificatesSettings()
    timekeeping: TimekeepingSettings = TimekeepingSettings()
    sensors: SensorsSettings = SensorsSettings()
    rules: RulesSettings = RulesSettings()


def build(
    settings: SourcesSettings,
    state: Path | None,
    root: Path = Path("/"),
    offset: Callable[[], float | None] = lambda: None,
) -> tuple[Source, ...]:
    """Return the sources that are enabled.

    Args:
        settings: Theirs.
        state: The agent's state folder; without it they can look once, and not watch.
        root: Where the host's /proc, /sys, /etc and /var are.
        offset: By how many seconds the host's clock is ahead of the collector's, where that is known.
    """
    inside = settings.internal_ranges
    sites = [one.path for one in settings.files.roots]
    webmail = Webmail()
    unchecked = refusal(settings.exits.reach, settings.asset.assets)
    beacons = () if unchecked else [one.place for one in settings.exits.reach.beacons]
    ranges = Ranges(settings.internal_ranges, beacons=beacons)
    sources: tuple[tuple[bool, Source], ...] = (
        (settings.asset.enabled, Asset(settings.asset, root=root)),
        (
            settings.exits.enabled,
            Exits(
                settings.exits,
                ranges=ranges,
                root=root,
                unchecked=unchecked,
                unasked=exchanges.refusal(settings.exits.mail, settings.asset.assets),
                webmail=webmail,
            ),
        ),
        (
            settings.sockets.enabled,
            Sockets(settings.sockets, internal_ranges=inside, root=root, beacons=beacons),
        ),
        (bool(settings.files.roots), Files(settings.files, state=state, root=root)),
        (settings.logins.enabled, Logins(settings.logins, state=state, root=root)),
        (bool(settings.suricata.files), Suricata(settings.suricata, state=state, root=root)),
        (bool(settings.zeek.files), Zeek(settings.zeek, state=state, root=root)),
        (settings.packets.enabled, Packets(settings.packets, webmail=webmail, state=state)),
        (
            settings.processes.enabled,
            Processes(settings.processes, internal_ranges=inside, state=state, root=root),
        ),
        (settings.persistence.enabled, Persistence(settings.persistence, state=state, root=root)),
        (settings.privileges.enabled, Privileges(settings.privileges, state=state, root=root)),
        (settings.setuid.enabled, Setuid(settings.setuid, state=state, root=root)),
        (settings.logs.enabled, LogFiles(settings.logs, state=state, root=root)),
        (settings.malware.enabled, Malware(settings.malware, roots=sites, state=state)),
        (bool(settings.outages.services), Outages(settings.outages, internal_ranges=inside, state=state)),
        (bool(settings.backups.backups), Backups(settings.backups, state=state)),
        (
            bool(settings.certificates.files or settings.certificates.ports),
            Certificates(settings.certificates, internal_ranges=inside, state=state),
        ),
        (settings.timekeeping.enabled, Timekeeping(settings.timekeeping, state=state, offset=offset)),
        (settings.rules.enabled, Rules(settings.rules, state=state, root=root)),
    )
    running = tuple(source for enabled, source in sources if enabled)
    if not settings.sensors.enabled:
        return running
    return (*running, Sensors(settings.sensors, watched=running, state=state))


__all__ = [
    "LATER",
    "SOURCES",
    "Asset",
    "AssetSettings",
    "Backups",
    "BackupsSettings",
    "BurstSettings",
    "Certificates",
    "CertificatesSettings",
    "Clock",
    "DeclaredAsset",
    "Emit",
    "Exits",
    "ExitsSettings",
    "Files",
    "FilesSettings",
    "LogFiles",
    "Logins",
    "LoginsSettings",
    "LogsSettings",
    "Malware",
    "MalwareSettings",
    "Observation",
    "Outages",
    "OutagesSettings",
    "Packets",
    "PacketsSettings",
    "Patrol",
    "Persistence",
    "PersistenceSettings",
    "Privileges",
    "PrivilegesSettings",
    "Processes",
    "ProcessesSettings",
    "Ranges",
    "Reading",
    "Rules",
    "RulesSettings",
    "SensorLogSettings",
    "Sensors",
    "SensorsSettings",
    "Setuid",
    "SetuidSettings",
    "Sockets",
    "SocketsSettings",
    "Source",
    "SourcesSettings",
    "Suricata",
    "Timekeeping",
    "TimekeepingSettings",
    "Unreadable",
    "WebRoot",
    "Zeek",
    "accept",
    "build",
]
