"""`duty explain` on the command line: one JSON document, or a text for people, or every mistake at once."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from collector import shipped
from collector.cli import main

GOLDEN = Path(__file__).parents[2] / "golden" / "duty"
CITY = str(GOLDEN / "city-portal-down.yaml")


def run(*words: str) -> int:
    return main(["duty", "explain", *words])


def test_json_is_one_document_on_stdout_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(CITY, "--json") == 0
    out, err = capsys.readouterr()

    assert json.loads(out)["level"] == "III"
    assert err == ""


def test_the_time_of_the_command_wins_over_that_of_the_case(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(CITY, "--json", "--at", "2026-03-02T13:10:01+08:00") == 0

    assert json.loads(capsys.readouterr().out)["obligations"][0]["state"] == "overdue"


def test_without_any_time_it_is_now(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = Path(CITY).read_text("utf-8")
    timeless = tmp_path / "case.yaml"
    timeless.write_text("\n".join(line for line in text.splitlines() if not line.startswith("at:")), "utf-8")

    assert run(str(timeless), "--json") == 0
    assert json.loads(capsys.readouterr().out)["obligations"][0]["state"] == "overdue"


@pytest.mark.parametrize("time", ["2026-03-02", "13:10", "2026-03-02T13:10:01"])
def test_a_time_without_offset_is_wrong_usage(time: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        run(CITY, "--at", time)

    assert caught.value.code == 2
    assert "expected a time with offset" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "zh",
            [
                "级别: III 较大 (cn-cac-2025)，待人工确认",
                "（数值待核）",
                "cn-cac-2025: 适用",
                "省级网信部门 (provincial_cac)",
                "进行中；截止 2026-03-02T13:10:00+08:00（还有 3:10）",
                "本单位目标，非法定时限: 2026-03-02T10:10:00+08:00（还有 0:10）",
            ],
        ),
        (
            "en",
            [
                "Level: III fairly grave (cn-cac-2025), proposed: needs a person's word",
                "(not verified)",
                "cn-cac-2025: applies",
                "provincial cyberspace administration (provincial_cac)",
                "open; due 2026-03-02T13:10:00+08:00 (in 3:10)",
                "house target, not law: 2026-03-02T10:10:00+08:00 (in 0:10)",
                "could rise by: cii_whole_down",
            ],
        ),
    ],
)
def test_people_read_it_in_their_language(
    language: str, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(CITY, "--lang", language) == 0
    out = capsys.readouterr().out

    assert [word for word in words if word not in out] == []


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("classified", ["Level: none (classified system)", "Reports owed: none"]),
        ("fresh-tampering", ["will rise to III: 2026-03-02T09:30:00+08:00 [homepage_tampered.III]"]),
        ("onward", ["overdue; due 2026-03-02T10:30:00+08:00 (1:30 ago)", "met; due"]),
        ("dora-late-grading", ["eu-nis2: does not apply (eu-dora applies in its place)"]),
        ("australia-impact-unknown", ["missing: facts.significant"]),
        ("hong-kong", ["eu-nis2: does not apply", "(not verified)"]),
        ("onward", ["uk-nis: does not apply"]),
    ],
)
def test_the_text_says_what_the_answer_says(
    case: str, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(str(GOLDEN / f"{case}.yaml")) == 0
    out = capsys.readouterr().out

    assert [word for word in words if word not in out] == []


def test_what_a_regime_needs_to_know_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "case.yaml"
    file.write_text("unit: {region: FR}\nat: 2026-03-02T10:00:00+01:00\n", "utf-8")

    assert run(str(file)) == 0
    assert run(str(file), "--lang", "zh") == 0
    out = capsys.readouterr().out
    assert "eu-nis2: unknown (missing facts.significant)" in out
    assert "eu-nis2: 未知 (缺 facts.significant)" in out


def test_a_filing_that_meets_nothing_is_told_beside_the_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = Path(CITY).read_text("utf-8")
    file = tmp_path / "case.yaml"
    filing = "  filings: [{obligation: cn-cac-2025/first/police, at: 2026-03-02T09:30:00+08:00}]\n"
    file.write_text(text.replace("regimes:", f"{filing}regimes:"), "utf-8")

    assert run(str(file), "--json") == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["obligations"][0]["state"] == "open"
    assert err == "note: incident.filings[0] names cn-cac-2025/first/police, which this case does not owe\n"


def test_the_chinese_text_of_a_classified_or_overdue_case(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(str(GOLDEN / "classified.yaml"), "--lang", "zh") == 0
    assert run(str(GOLDEN / "onward.yaml"), "--lang", "zh") == 0
    out = capsys.readouterr().out

    assert "级别：不定级（涉密系统）" in out
    assert "报告义务：无" in out
    assert "（已过 1:30）" in out


def test_a_malformed_case_tells_every_mistake_on_its_own_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "case.yaml"
    file.write_text("unit:\n  region: UK\nasset:\n  cii: maybe\nregimes: [eu-nis2]\nat: today\n", "utf-8")

    assert run(str(file), "--json") == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        f"{file}:2: unit.region: found 'UK', expected a region by ISO 3166 such as CN-12 or DE",
        f"{file}:4: asset.cii: found 'maybe', expected true or false",
        f"{file}:6: at: found 'today', expected a time with offset such as 2026-03-02T09:10:00+08:00",
    ]


def test_a_case_that_names_what_does_not_exist_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "case.yaml"
    file.write_text("incident:\n  class: NAWEBMO\nregimes: [eu-nis3]\n", "utf-8")

    assert run(str(file)) == 1
    err = capsys.readouterr().err.splitlines()
    assert err[0].startswith(f"{file}:2: incident.class: found 'NAWEBMO'")
    assert err[1].startswith(f"{file}:3: regimes[0]: found 'eu-nis3', expected one of au-soci")


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (None, "no readable file (No such file or directory)"),
        (b"\xff\xfe\x00", "a byte that is not UTF-8 (at 0)"),
        (b"#" * 1_000_001, "a larger file"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(
    content: bytes | None, found: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "case.yaml"
    if content is not None:
        file.write_bytes(content)

    assert run(str(file)) == 1
    assert capsys.readouterr().err.startswith(f"{file}:1: $: found {found}")


def test_a_settings_file_lays_its_own_regimes_over_the_shipped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "regimes"
    own.mkdir()
    law = Path(shipped.configs_dir() / "regimes" / "cn-informatization.yaml").read_text("utf-8")
    (own / "mine.yaml").write_text(law.replace("limit: 60m", "limit: 15m"), "utf-8")
    shipped_settings = Path(shipped.configs_dir() / "collector.yaml").read_text("utf-8")
    lines = [line for line in shipped_settings.splitlines() if not line.startswith("regimes:")]
    settings = tmp_path / "collector.yaml"
    settings.write_text("\n".join([*lines, f"regimes: {own}", ""]), "utf-8")

    assert run(CITY, "--json", "--config", str(settings)) == 0
    duties = {item["id"]: item for item in json.loads(capsys.readouterr().out)["obligations"]}
    assert duties["cn-informatization/report"]["target_at"] == "2026-03-02T09:25:00+08:00"


def test_a_mistake_in_a_regime_is_told_with_line_and_column(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "regimes"
    own.mkdir()
    (own / "mine.yaml").write_text("id: xx\n", "utf-8")
    settings = tmp_path / "collector.yaml"
    settings.write_text(f"unit: district\nregistry: registry.yaml\nregimes: {own}\n", "utf-8")

    assert run(CITY, "--config", str(settings), "--lang", "en") == 1
    assert f"{own}/mine.yaml:1:1: applies: found nothing, expected a mapping" in capsys.readouterr().err


def test_the_command_starts_without_a_server_s_libraries() -> None:
    code = (
        "import sys; from collector.cli import main; code = main(sys.argv[1:]);"
        "heavy = {'sqlalchemy', 'aiohttp', 'prompt_toolkit', 'typer', 'asyncio'} & set(sys.modules);"
        "sys.exit(code or (3 if heavy else 0))"
    )
    words = [sys.executable, "-c", code, "duty", "explain", CITY, "--json"]
    done = subprocess.run(words, capture_output=True, timeout=60, check=False)

    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout)["level"] == "III"


COUNTS_DAYS = """
id: xx-own
name: {zh: 自定, en: own}
source: house rule
applies: {when: unit.country == "CN", source: Art. 1, verified: true}
stages:
  - id: report
    name: {zh: 报告, en: report}
    recipients: [police]
    limit: 5wd
    source: Art. 2
    verified: true
    content: {items: [{zh: 甲, en: A}], source: Art. 2, verified: true}
"""


@pytest.mark.parametrize(
    ("region", "aware", "due", "missing"),
    [
        (
            "CN-12",
            "2026-09-30T09:00:00+08:00",
            "2026-10-13T09:00:00+08:00",
            None,
        ),  # Saturday 10 October is worked
        (
            "CN-12",
            "2026-02-13T17:40:00+08:00",
            "2026-02-27T17:40:00+08:00",
            None,
        ),  # Saturday the 14th is worked
        ("CN-12", "2026-12-30T09:00:00+08:00", None, ["calendar.CN.2027"]),
        ("CN-HK", "2026-09-30T09:00:00+08:00", None, None),  # not China's law
        (None, "2026-09-30T09:00:00+08:00", None, None),
    ],
)
def test_working_days_are_counted_without_a_server(
    *,
    region: str | None,
    aware: str,
    due: str | None,
    missing: list[str] | None,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "regimes").mkdir()
    (tmp_path / "regimes" / "own.yaml").write_text(COUNTS_DAYS, "utf-8")
    settings = tmp_path / "collector.yaml"
    settings.write_text("unit: district\nregistry: registry.yaml\nregimes: regimes\n", "utf-8")
    case = tmp_path / "case.yaml"
    unit = f"unit: {{region: {region}, timezone: Asia/Shanghai}}\n" if region else ""
    case.write_text(f"{unit}incident: {{times: {{aware: {aware}}}}}\nregimes: [xx-own]\n", "utf-8")

    assert run(str(case), "--config", str(settings), "--json") == 0

    duties = json.loads(capsys.readouterr().out)["obligations"]
    assert [one["due_at"] for one in duties] == ([due] if region == "CN-12" else [])
    assert [one.get("missing") for one in duties] == ([missing] if region == "CN-12" else [])


def test_a_decreed_year_of_the_settings_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder in ("regimes", "calendars"):
        (tmp_path / folder).mkdir()
    (tmp_path / "regimes" / "own.yaml").write_text(COUNTS_DAYS, "utf-8")
    (tmp_path / "calendars" / "CN-2027.yaml").write_text(
        "region: CN\nyear: 2027\nsource: x\noff: [{from: 2027-01-01, until: 2027-01-03}]\n", "utf-8"
    )
    settings = tmp_path / "collector.yaml"
    settings.write_text(
        "unit: district\nregistry: registry.yaml\nregimes: regimes\ncalendars: calendars\n", "utf-8"
    )
    case = tmp_path / "case.yaml"
    case.write_text(
        "unit: {region: CN-12}\nincident: {times: {aware: 2026-12-30T09:00:00+08:00}}\nregimes: [xx-own]\n",
        "utf-8",
    )

    assert run(str(case), "--config", str(settings), "--json") == 0
    (duty,) = json.loads(capsys.readouterr().out)["obligations"]
    assert duty["due_at"] == "2027-01-07T09:00:00+08:00"
