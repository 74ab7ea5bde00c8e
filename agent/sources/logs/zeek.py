"""Zeek's JSON logs as a source (`agent/detection/zeek.py` reads the lines)."""

from pathlib import Path

from ...detection.zeek import ZeekReader
from .sensorlog import SensorLog, SensorLogSettings


class Zeek(SensorLog):
    """The zeek source: notices, scans in `conn.log`, and packets that Zeek lost."""

    name = "zeek"

    def __init__(
        self, settings: SensorLogSettings | None = None, *, state: Path | None, root: Path = Path("/")
    ) -> None:
        super().__init__(self.name, ZeekReader, settings or SensorLogSettings(), state=state, root=root)
