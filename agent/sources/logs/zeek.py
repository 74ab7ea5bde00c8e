"""Zeek's JSON logs as a source (`agent/detection/zeek.py` reads the lines)."""

from pathlib import Path

from ...detection.zeek import ZeekReader
from .sensorlog import Pace, SensorLog, SensorLogSettings


class Zeek(SensorLog):
    """The zeek source: notices, scans in `conn.log`, and packets that Zeek lost."""

    name = "zeek"

    def __init__(
        self,
        settings: SensorLogSettings | None = None,
        *,
        state: Path | None,
        root: Path = Path("/"),
        pace: Pace | None = None,
    ) -> None:
        its = settings or SensorLogSettings()
        super().__init__(self.name, ZeekReader, its, state=state, root=root, pace=pace)
