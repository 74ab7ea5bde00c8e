import shutil
from datetime import UTC, datetime
from pathlib import Path

from agent.sources import SensorLogSettings, Suricata

GOLDEN = Path(__file__).parents[3] / "golden/sensors"


async def test_a_log_of_suricata_is_looked_at_by_its_own_reader(tmp_path: Path) -> None:
    shutil.copy(GOLDEN / "eve.json", tmp_path)
    source = Suricata(SensorLogSettings(files=(f"{tmp_path}/eve.json",)), state=None)
    reading = await source.once(datetime(2026, 3, 2, 2, tzinfo=UTC))

    assert source.name == "suricata"
    assert [one.body.get("class") for one in reading.observations] == ["NASCAN", "MPTROJ", None, "DETECH"]
