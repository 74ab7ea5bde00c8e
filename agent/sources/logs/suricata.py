"""Suricata's EVE logs as a source (`agent/detection/eve.py` reads the lines)."""

from pathlib import Path

from ...detection.eve import EveReader
from .sensorlog import Pace, SensorLog, SensorLogSettings


class Suricata(SensorLog):
    """The suricata source: alerts by signature and address, and packets that Suricata lost."""

    name = "suricata"

    def __init__(
        self,
        settings: SensorLogSettings | None = None,
        *,
        state: Path | None,
        root: Path = Path("/"),
        pace: Pace | None = None,
    ) -> None:
        its = settings or SensorLogSettings()
        super().__init__(self.name, EveReader, its, state=state, root=root, pace=pace)
