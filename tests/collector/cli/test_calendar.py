"""Working days are shown, filled into the table and taken in from what was decreed."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from collector.cli import main
from collector.shipped import configs_dir

DECREED = {
    "year": 2027,
    "papers": ["https://www.gov.cn/2027"],
    "days": [
        {"name": "元旦", "date": "2027-01-01", "isOffDay": True},
        {"name": "春节", "date": "2027-01-24", "isOffDay": False},
    ],
}

_YEARS = "SELECT region, year, confirmed FROM calendar_year ORDER BY year"


@pytest.fixture
def config(tmp_path: Path) -> str:
    (tmp_path / "registry.yaml").write_text((configs_dir() / "registry.yaml").read_text("utf-8"))
    (tmp_path / "calendars").mkdir()
    file = tmp_path / "collector.yaml"
    file.write_text(
        "unit: district\nregistry: registry.yaml\nstate_dir: state\ncalendars: calendars\nlanguage: en\n"
    )
    return str(file)


@pytest.fixture
def decreed(tmp_path: Path) -> str:
    file = tmp_path / "2027.json"
    file.write_text(json.dumps(DECREED))
    return str(file)


def table(folder: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(folder / "state" / "state.db")) as connection:
        return connection.execute(
            "SELECT region, year, confirmed FROM calendar_year ORDER BY year"
        ).fetchall()


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["CN 2026: 248 working days, confirmed", "2026-10-10 worked 国庆节", "2026-02-23 off 春节"]),
        ("zh", ["CN 2026：248 个工作日，已确认", "2026-10-10 班 国庆节", "2026-02-23 休 春节"]),
    ],
)
def test_the_year_is_shown_without_any_settings(
    language: str, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["calendar", "show", "--year", "2026", "--lang", language]) == 0

    said = capsys.readouterr().out
    assert [word for word in words if word not in said] == []


def test_a_reckoned_year_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["calendar", "show", "--region", "CN", "--year", "2027", "--json"]) == 0

    (year,) = json.loads(capsys.readouterr().out)["years"]
    assert (year["confirmed"], year["source"]) == (False, "holidays")
    assert {"day": "2027-01-01", "working": False, "name": "New Year's Day"} in year["unusual"]


def test_the_table_is_filled_once(config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["calendar", "fill", "--config", config, "--json"]) == 0
    written = json.loads(capsys.readouterr().out)["written"]
    assert main(["calendar", "fill", "--config", config]) == 0

    assert "nothing in the calendar has changed" in capsys.readouterr().err
    assert [year["region"] for year in written] == ["CN"] * 3
    assert len(table(tmp_path)) == 3


def test_a_decreed_year_is_put_in_its_place_and_into_the_table(
    config: str, decreed: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["calendar", "import", decreed, "--config", config]) == 0

    assert "written: CN 2027" in capsys.readouterr().err
    assert (tmp_path / "calendars" / "CN-2027.yaml").read_text("utf-8").startswith("region: CN\nyear: 2027\n")
    assert ("CN", 2027, 1) in table(tmp_path)
    assert main(["calendar", "show", "--config", config, "--stored", "--year", "2027", "--json"]) == 0
    (year,) = json.loads(capsys.readouterr().out)["years"]
    assert (year["confirmed"], year["source"]) == (True, "https://www.gov.cn/2027")
    assert {"day": "2027-01-24", "working": True, "name": "春节"} in year["unusual"]
    assert main(["check-config", config]) == 0


def test_a_file_that_stands_there_is_replaced_only_where_that_is_asked(
    config: str, decreed: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["calendar", "import", decreed, "--config", config, "--lang", "zh"]
    assert main(words) == 0
    file = tmp_path / "calendars" / "CN-2027.yaml"
    file.write_text(file.read_text("utf-8").replace("元旦", "新年"))

    assert main(words) == 1
    assert "已存在；加 --replace 以新文件替换" in capsys.readouterr().err
    assert main([*words, "--replace"]) == 0
    assert "元旦" in file.read_text("utf-8")


def test_our_own_form_is_taken_in_and_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "own.yaml"
    file.write_text("region: CN-65\nyear: 2027\nsource: x\nbase: library\n", "utf-8")

    assert main(["calendar", "import", str(file), "--stdout"]) == 0
    assert capsys.readouterr().out.startswith("region: CN-65\nyear: 2027\n")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"{", "a year as holiday-cn publishes it"),
        (b"year: 2027\n", "region: found nothing"),
        (b"\xff\xfe", "is not UTF-8 text"),
        (b" " * 1_000_001, "a larger file"),
        (None, "No such file or directory"),
    ],
    ids=["JSON", "YAML", "bytes", "size", "none"],
)
def test_what_is_no_calendar_is_refused(
    content: bytes | None, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "x"
    if content is not None:
        file.write_bytes(content)

    assert main(["calendar", "import", str(file), "--stdout"]) == 1
    assert why in capsys.readouterr().err


def test_without_a_folder_for_it_a_year_is_not_put_anywhere(
    config: str, decreed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = Path(config)
    file.write_text(file.read_text().replace("calendars: calendars\n", ""))

    assert main(["calendar", "import", decreed, "--config", config]) == 1
    assert "the settings name no folder for them" in capsys.readouterr().err


def test_a_region_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["calendar", "show", "--region", "China"]) == 1
    assert "--region: found 'China', expected a region by ISO 3166" in capsys.readouterr().err
