import shutil
from datetime import UTC, datetime
from pathlib import Path

from agent.sources import SensorLogSettings, Zeek

GOLDEN = Path(__file__).parents[3] / "golden/sensors"


async def test_zeeks_logs_are_told_apart_by_their_names(tmp_path: Path) -> None:
    for name in ("notice.log", "conn.log"):
        shutil.copy(GOLDEN / name, tmp_path)
    source = Zeek(SensorLogSettings(files=(f"{tmp_path}/*.log",)), state=None)
    reading = await source.once(datetime(2026, 3, 2, 2, tzinfo=UTC))

    assert source.name == "zeek"
    assert {one.body["key"] for one in reading.observations} == {
        "zeek:scan:203.0.113.9",
        "zeek:SSH::Password_Guessing:203.0.113.9",
        "zeek:Scan::Port_Scan:203.0.113.9",
        "zeek:SSL::Invalid_Server_Cert:10.1.1.5",
    }
