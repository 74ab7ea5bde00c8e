from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from collector.casework.dossier import Dossier
from collector.casework.texts import Outage, Speaker

NINE = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")
MINUTE = timedelta(minutes=1)


def alarm(dossier: Dossier, language: str, kind: str, late: timedelta, outage: Outage | None = None) -> str:
    (clock,) = dossier.clocks.values()
    at = NINE + 30 * MINUTE if kind == "half" else NINE
    payload = Speaker(language, SHANGHAI).clock_alarm(
        dossier.incident, clock, kind, at=at, now=at + late, outage=outage
    )
    return f"{payload['subject']}\n{payload['body']}"


ZH = """\
【烽燧】报告 → 信息化主管部门:时限已过 50%
门户网站首页被篡改 (NAWEBMOD, 一般, portal)
时限:2026-03-02 10:00:00 +08:00
依据: cn-informatization/report"""
EN = """\
[Fengsui] report → informatization authority: 50 % of the time are gone
home page of the portal tampered with (NAWEBMOD, level IV (general), portal)
due: 2026-03-02 10:00:00 +08:00
source: cn-informatization/report"""


@pytest.mark.parametrize(("language", "text"), [("zh", ZH), ("en", EN)])
def test_a_person_reads_what_is_owed_to_whom_until_when_and_by_what_law(
    opened: Callable[..., Dossier], language: str, text: str
) -> None:
    assert alarm(opened(), language, "half", timedelta(0)).startswith(text)


@pytest.mark.parametrize(("at", "gone"), [(NINE + 48 * MINUTE, "80"), (NINE + 15 * MINUTE, "25")])
def test_how_much_of_the_time_is_gone_is_told_as_the_settings_have_it(
    opened: Callable[..., Dossier], at: datetime, gone: str
) -> None:
    dossier = opened()
    (clock,) = dossier.clocks.values()
    payload = Speaker("en", SHANGHAI).clock_alarm(
        dossier.incident, clock, "four_fifths", at=at, now=at, outage=None
    )

    assert f"{gone} % of the time are gone" in payload["subject"]


def test_an_own_target_is_never_sold_as_law(opened: Callable[..., Dossier]) -> None:
    assert "非法定" in alarm(opened(), "zh", "target", timedelta(0))
    assert "not law" in alarm(opened(), "en", "target", timedelta(0))


def test_an_alarm_in_time_says_nothing_of_lateness(opened: Callable[..., Dossier]) -> None:
    assert "late" not in alarm(opened(), "en", "due", timedelta(seconds=4))


def test_a_late_alarm_says_by_how_much(opened: Callable[..., Dossier]) -> None:
    assert "this alarm is late by 1d 00:07:00" in alarm(opened(), "en", "due", timedelta(days=1, minutes=7))


def test_a_late_alarm_says_that_the_collector_was_down(opened: Callable[..., Dossier]) -> None:
    outage = Outage(began=NINE - MINUTE, ended=NINE + 9 * MINUTE)
    text = alarm(opened(), "en", "overdue_3", 10 * MINUTE, outage)

    span = "2026-03-02 08:59:00 +08:00 - 2026-03-02 09:09:00 +08:00"
    assert f"late by 00:10:00, because the collector was down from {span}" in text


def test_an_outage_that_was_over_before_explains_nothing(opened: Callable[..., Dossier]) -> None:
    outage = Outage(began=NINE - 9 * MINUTE, ended=NINE - MINUTE)

    assert "down" not in alarm(opened(), "en", "due", MINUTE, outage)


def test_an_ungraded_incident_is_called_so(opened: Callable[..., Dossier]) -> None:
    dossier = opened(asset="secret")
    payloads = [
        Speaker(language, SHANGHAI).escalation(dossier.incident, "escalate_0", at=NINE, now=NINE, outage=None)
        for language in ("zh", "en")
    ]

    assert [payload["subject"] for payload in payloads] == [
        "【烽燧】未定级事件待确认",
        "[Fengsui] ungraded incident waits for acknowledgement",
    ]
    assert payloads[0]["level"] is None


def test_machines_read_the_same_facts_as_codes(opened: Callable[..., Dossier]) -> None:
    dossier = opened()
    (clock,) = dossier.clocks.values()
    payload = Speaker("en", SHANGHAI).clock_alarm(
        dossier.incident, clock, "half", at=NINE, now=NINE, outage=None
    )

    assert {name: payload[name] for name in ("kind", "class", "level", "unit", "asset", "obligation")} == {
        "kind": "half",
        "class": "NAWEBMOD",
        "level": "IV",
        "unit": "county",
        "asset": "portal",
        "obligation": "cn-informatization/report",
    }


def test_a_stage_without_a_name_is_called_by_its_code(opened: Callable[..., Dossier]) -> None:
    dossier = opened()
    (clock,) = dossier.clocks.values()
    clock = replace(clock, stage="written", recipient="nobody")
    payload = Speaker("en", UTC).clock_alarm(dossier.incident, clock, "due", at=NINE, now=NINE, outage=None)

    assert payload["subject"] == "[Fengsui] written → nobody: is due"


@pytest.mark.parametrize(("language", "mark"), [("zh", "【演练】"), ("en", "[DRILL] ")])
def test_every_notice_of_a_drill_bears_the_mark_in_subject_and_body(
    opened: Callable[..., Dossier], language: str, mark: str
) -> None:
    dossier = opened(drill=True)
    subject, body = alarm(dossier, language, "half", timedelta(0)).split("\n", 1)
    told = Speaker(language, SHANGHAI).escalation(
        dossier.incident, "escalate_0", at=NINE, now=NINE, outage=None
    )

    assert subject.startswith(mark)
    assert body.startswith(mark)
    assert str(told["subject"]).startswith(mark)
    assert (told["drill"], alarm(opened(), language, "half", timedelta(0)).count(mark)) == (True, 0)
