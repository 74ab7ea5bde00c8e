"""The command as people call it, on a folder of their own."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from collector.cli import main

CONFIGS = Path(__file__).parents[3] / "configs"
FRIDAY = "2026-09-25T17:40+08:00"
ROSTER = """
unit: district
rotations:
  - {people: [li-na, zhang-wei], since: 2026-09-04, on: friday, handover: 17:30}
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    shutil.copy(CONFIGS / "registry.yaml", tmp_path)
    (tmp_path / "own" / "rosters").mkdir(parents=True)
    (tmp_path / "own" / "rosters" / "district.yaml").write_text(ROSTER)
    settings = (CONFIGS / "collector.yaml").read_text().replace('escalation: ""', "escalation: own")
    (tmp_path / "collector.yaml").write_text(settings)
    return str(tmp_path / "collector.yaml")


def previewed(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert main(["roster", "preview", "--at", FRIDAY, "--json", *words]) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def test_who_would_be_woken_if_this_began_on_friday_evening(
    file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = previewed(capsys, "--config", file, "--unit", "district", "--class", "NAWEBMOD", "--level", "II")

    assert (shown["roster"], shown["class"], shown["acknowledgements"]) == (True, "NAWEBMOD", 1)
    assert [
        (one["after_seconds"], one["to"], [call["person"] for call in one["calls"]]) for one in shown["woken"]
    ] == [
        (0.0, "duty", ["zhang-wei"]),
        (300.0, "leader", ["zhou-qiang"]),
        (900.0, "superior", ["chen-jie", "liu-yang"]),
        (3600.0, "authority", ["wang-fang"]),
    ]


def test_ten_minutes_before_the_handover_it_is_somebody_else(
    file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        main(["roster", "preview", "--config", file, "--at", "2026-09-25T17:29+08:00", "--lang", "zh"]) == 0
    )

    shown = capsys.readouterr().out
    assert "值班表" in shown
    assert "李娜" in shown
    assert "张伟" not in shown


def test_a_hole_is_shown(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    shown = previewed(
        capsys,
        "--config",
        file,
        "--level",
        "I",
        "--fact",
        "crime_suspected",
        "--asset",
        "district-classified",
    )

    assert shown["woken"][-1]["holes"] == [
        "nobody is registered as police of district",
        "nobody is registered as secrecy of district",
    ]


def test_a_roster_goes_out_as_a_calendar_and_comes_in_again(
    file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--config", file, "--unit", "district", "--at", FRIDAY]
    assert main(["roster", "export", *words, "--days", "14"]) == 0
    calendar = tmp_path / "out.ics"
    calendar.write_bytes(capsys.readouterr().out.encode())
    assert main(["roster", "import", str(calendar), *words, "--lang", "en"]) == 0
    said = capsys.readouterr()

    assert said.err == "3 shifts\n"
    (tmp_path / "own" / "rosters" / "district.yaml").write_text(said.out)
    assert previewed(capsys, *words[:4])["woken"][0]["calls"][0]["person"] == "zhang-wei"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["preview", "--unit", "nobody"], "--unit: found 'nobody'"),
        (["preview", "--class", "NOCLASS"], "--class: found 'NOCLASS'"),
        (["preview", "--asset", "nothing"], "--asset: found 'nothing'"),
        (["export", "--unit", "city"], "unit city has no roster"),
        (["export", "--unit", "district", "--days", "0"], "--days: found 0"),
        (["import", "/nowhere.ics"], "No such file"),
    ],
)
def test_what_is_not_there_is_said(
    file: str, capsys: pytest.CaptureFixture[str], words: list[str], why: str
) -> None:
    assert main(["roster", *words, "--config", file, "--lang", "en"]) == 1
    assert why in capsys.readouterr().err


def test_a_time_without_an_offset_is_a_wrong_use(file: str) -> None:
    with pytest.raises(SystemExit) as left:
        main(["roster", "preview", "--config", file, "--at", "2026-09-25T17:40"])

    assert left.value.code == 2


def test_a_mistake_in_a_roster_is_told_at_its_place(
    file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "own" / "rosters" / "district.yaml").write_text(ROSTER.replace("li-na", "ghost"))

    assert main(["check-config", file, "--lang", "en"]) == 1
    assert "district.yaml:4:15: rotations[0].people[0]: found 'ghost'" in capsys.readouterr().err


BY_THE_CALENDAR = """
unit: district
calendar: CN
rotations:
  - {people: [li-na], since: 2026-01-01, turn: daily, days: workdays}
  - {people: [zhang-wei], since: 2026-01-01, turn: daily, days: restdays}
"""


@pytest.mark.parametrize(
    ("day", "person"), [("2026-09-30", "li-na"), ("2026-10-01", "zhang-wei"), ("2026-10-10", "li-na")]
)
def test_a_decreed_holiday_and_a_worked_saturday_are_who_is_woken_s(
    file: str, capsys: pytest.CaptureFixture[str], day: str, person: str
) -> None:
    (Path(file).parent / "own" / "rosters" / "district.yaml").write_text(BY_THE_CALENDAR)
    words = ["roster", "preview", "--config", file, "--unit", "district", "--at", f"{day}T17:40+08:00"]
    assert main([*words, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)

    assert [call["person"] for call in shown["woken"][0]["calls"]] == [person]
