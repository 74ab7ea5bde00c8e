"""Which reports are owed, to whom, by when, and how each stands: the states, one by one."""

import json
from datetime import date, datetime

import pytest

from collector.regimes import Calendars, Workdays, explain, read_case, read_regime

from .conftest import Ask, Described, filed, filing, laid, obligations

NOW = datetime.fromisoformat("2026-03-02T10:00:00+08:00")
LEVEL_III = {"incident": {"facts": {"personal_records": 1_000_000}}}
LEVEL_II = {"incident": {"facts": {"personal_records": 10_000_000}}}
CII = {"asset": {"cii": True}}
CENTRAL = {"unit": {"kind": "central_organ"}}
HANDLED = {"incident": {"times": {"handled": "2026-03-05T09:00:00+08:00"}}}


class TestRoutes:
    """Art. 4: who reports to whom, by when."""

    @pytest.mark.parametrize(
        ("who", "owed"),
        [
            ({}, {"first": ("provincial_cac", "13:10")}),
            (CENTRAL, {"first": ("own_cac_office", "11:10")}),
            (
                CII,
                {
                    "first/cii_protection_department": ("cii_protection_department", "10:10"),
                    "first/police": ("police", "10:10"),
                },
            ),
            (
                {"unit": {"kind": "cii_operator"}},
                {
                    "first/cii_protection_department": ("cii_protection_department", "10:10"),
                    "first/police": ("police", "10:10"),
                },
            ),
            (
                laid(CENTRAL, CII),
                {
                    "first/cii_protection_department": ("cii_protection_department", "10:10"),
                    "first/police": ("police", "10:10"),
                    "first/own_cac_office": ("own_cac_office", "11:10"),
                },
            ),
        ],
    )
    def test_the_subject_decides_recipient_and_limit(
        self, ask: Ask, who: Described, owed: dict[str, tuple[str, str]]
    ) -> None:
        said = obligations(ask(laid(who, LEVEL_III)), "cn-cac-2025")
        first = {name: duty for name, duty in said.items() if duty["stage"] == "first"}

        assert {
            name.removeprefix("cn-cac-2025/"): (duty["recipient"], duty["due_at"][11:16])
            for name, duty in first.items()
        } == owed

    def test_supplement_and_summary_go_to_the_same_recipients(self, ask: Ask) -> None:
        said = obligations(ask(laid(CII, LEVEL_III)), "cn-cac-2025")

        assert set(said) == {
            f"cn-cac-2025/{stage}/{recipient}"
            for stage in ("first", "supplement", "summary")
            for recipient in ("cii_protection_department", "police")
        }

    def test_a_first_report_lists_the_eight_items_in_both_languages(self, ask: Ask) -> None:
        zh = obligations(ask(LEVEL_III, language="zh"))["cn-cac-2025/first"]["content"]
        en = obligations(ask(LEVEL_III))["cn-cac-2025/first"]["content"]

        assert [item[0] for item in zh] == list("一二三四五六七八")
        assert [item[0] for item in en] == list("12345678")
        assert "赎金" in zh[1]
        assert "ransom" in en[1]

    @pytest.mark.parametrize(
        ("kind", "owed"),
        [
            (
                "cii_protection_department",
                {"onward/national_cac": "10:30", "onward/police": "10:30"},
            ),
            ("own_cac_office", {"onward": "11:00"}),
            ("provincial_cac", {"onward": "11:00"}),
        ],
    )
    def test_a_receiving_body_owes_only_the_onward_report(
        self, ask: Ask, kind: str, owed: dict[str, str]
    ) -> None:
        received = {"incident": {"times": {"received": "2026-03-02T10:00:00+08:00"}, "crime_suspected": True}}
        said = obligations(ask(laid({"unit": {"kind": kind}}, CII, LEVEL_II, received)))

        assert {
            name.removeprefix("cn-cac-2025/"): duty["due_at"][11:16] for name, duty in said.items()
        } == owed
        assert {duty["anchor"] for duty in said.values()} == {"received"}

    def test_below_level_two_nothing_goes_onward(self, ask: Ask) -> None:
        assert obligations(ask(laid({"unit": {"kind": "provincial_cac"}}, LEVEL_III))) == {}

    def test_a_receiving_body_that_has_received_nothing_cannot_compute(self, ask: Ask) -> None:
        duty = obligations(ask(laid({"unit": {"kind": "provincial_cac"}}, LEVEL_II)))["cn-cac-2025/onward"]

        assert (duty["state"], duty["missing"]) == ("cannot_compute", ["times.received"])

    def test_a_suspected_crime_is_reported_to_the_police_beside(self, ask: Ask) -> None:
        duty = obligations(ask(laid(LEVEL_III, {"incident": {"crime_suspected": True}})))["cn-cac-2025/crime"]

        assert (duty["recipient"], duty["state"], duty["due_at"]) == ("police", "no_number", None)

    def test_at_level_four_the_crime_alone_is_owed(self, ask: Ask) -> None:
        told = {"incident": {"crime_suspected": True, "facts": {"loss_yuan": 0}}}

        assert list(obligations(ask(told), "cn-cac")) == ["cn-cac-2025/crime"]

    def test_whether_a_crime_is_suspected_may_be_unknown(self, ask: Ask) -> None:
        duty = obligations(ask(laid(LEVEL_III, {"incident": {"crime_suspected": ...}})))["cn-cac-2025/crime"]

        assert duty["missing"] == ["incident.crime_suspected"]

    def test_where_the_subject_is_not_known_the_stricter_reading_counts(self, ask: Ask) -> None:
        said = obligations(ask(laid(LEVEL_III, {"asset": {"cii": ...}})), "cn-cac")
        first = {name: duty for name, duty in said.items() if duty["stage"] == "first"}

        assert {duty["due_at"][11:16] for duty in first.values()} == {"10:10"}
        assert {tuple(duty["missing"]) for duty in first.values()} == {("asset.cii",)}

    def test_a_known_subject_with_a_stricter_one_possible_owes_both(self, ask: Ask) -> None:
        said = obligations(ask(laid(LEVEL_III, CENTRAL, {"asset": {"cii": ...}})), "cn-cac")

        assert "missing" not in said["cn-cac-2025/first/own_cac_office"]
        assert said["cn-cac-2025/first/police"]["missing"] == ["asset.cii"]

    def test_a_laxer_possibility_adds_nothing_to_a_strict_certainty(self, ask: Ask) -> None:
        said = obligations(ask(laid(LEVEL_III, CII, {"unit": {"kind": ...}})), "cn-cac-2025")

        assert [name for name, duty in said.items() if duty["stage"] == "first"] == [
            "cn-cac-2025/first/cii_protection_department",
            "cn-cac-2025/first/police",
        ]


class TestStates:
    """Open, met, overdue and the rest."""

    @pytest.mark.parametrize(
        ("at", "state"),
        [
            ("2026-03-02T09:00:00+08:00", "open"),
            ("2026-03-02T09:10:00+08:00", "open"),
            ("2026-03-02T13:10:00+08:00", "open"),
            ("2026-03-02T05:10:00+00:00", "open"),
            ("2026-03-02T13:10:00.000001+08:00", "overdue"),
            ("2026-03-02T13:10:01+08:00", "overdue"),
        ],
    )
    def test_a_report_is_open_until_now_is_later_than_due(self, ask: Ask, at: str, state: str) -> None:
        duty = obligations(ask(LEVEL_III, at))["cn-cac-2025/first"]

        assert (duty["state"], duty["due_at"]) == (state, "2026-03-02T13:10:00+08:00")

    @pytest.mark.parametrize(
        ("sent", "receipt", "now", "state"),
        [
            ("10:00", None, "10:05", "open"),
            ("10:00", None, "13:11", "overdue"),
            ("10:00", "10:01", "10:05", "met"),
            ("13:10", "13:30", "14:00", "met"),
            ("13:11", "13:12", "14:00", "met_late"),
            # A receipt that comes late does not make a filing in time late.
            ("13:00", "18:00", "19:00", "met"),
            # Neither filing nor receipt has happened yet.
            ("10:00", "10:30", "10:05", "open"),
            ("10:30", "10:31", "10:05", "open"),
            ("10:00", "15:00", "13:11", "overdue"),
        ],
    )
    def test_met_needs_a_receipt_and_in_time_is_judged_by_the_filing(
        self, ask: Ask, sent: str, receipt: str | None, now: str, state: str
    ) -> None:
        receipt_at = f"2026-03-02T{receipt}:00+08:00" if receipt is not None else None
        sent_at = f"2026-03-02T{sent}:00+08:00"
        told = filed(filing("cn-cac-2025/first", sent_at, receipt_at))

        assert (
            obligations(ask(laid(LEVEL_III, told), f"2026-03-02T{now}:00+08:00"))["cn-cac-2025/first"][
                "state"
            ]
            == state
        )

    def test_the_earliest_filing_with_a_receipt_counts(self, ask: Ask) -> None:
        told = filed(
            filing("cn-cac-2025/first", "2026-03-02T15:00:00+08:00", "2026-03-02T15:00:00+08:00"),
            filing("cn-cac-2025/first", "2026-03-02T12:00:00+08:00", "2026-03-02T16:00:00+08:00"),
        )
        said = [
            obligations(ask(laid(LEVEL_III, told), f"2026-03-02T{now}:00+08:00"))["cn-cac-2025/first"][
                "state"
            ]
            for now in ("15:30", "16:30")
        ]

        assert said == ["met_late", "met"]

    def test_a_filing_meets_exactly_the_obligation_it_names(self, ask: Ask) -> None:
        told = filed(
            filing("cn-cac-2025/first/police", "2026-03-02T10:00:00+08:00", "2026-03-02T10:01:00+08:00"),
            filing("cn-cac-2025/first", "2026-03-02T10:00:00+08:00", "2026-03-02T10:01:00+08:00"),
        )
        said = obligations(ask(laid(LEVEL_III, CII, told), "2026-03-02T10:05:00+08:00"))

        assert said["cn-cac-2025/first/police"]["state"] == "met"
        assert said["cn-cac-2025/first/cii_protection_department"]["state"] == "open"

    def test_an_anchor_that_is_not_known_gives_no_due_time_and_never_midnight(self, ask: Ask) -> None:
        duty = obligations(ask(laid(LEVEL_III, {"incident": {"times": {"aware": ...}}})))["cn-cac-2025/first"]

        assert (duty["state"], duty["anchor_at"], duty["due_at"]) == ("cannot_compute", None, None)
        assert duty["missing"] == ["times.aware"]

    def test_a_summary_is_due_thirty_days_after_handling(self, ask: Ask) -> None:
        before = obligations(ask(LEVEL_III))["cn-cac-2025/summary"]
        planned = obligations(ask(laid(LEVEL_III, HANDLED)))["cn-cac-2025/summary"]
        after = obligations(ask(laid(LEVEL_III, HANDLED), "2026-03-06T09:00:00+08:00"))["cn-cac-2025/summary"]

        assert (before["state"], before["due_at"], before["anchor_at"]) == ("not_yet", None, None)
        assert "missing" not in before
        assert planned["state"] == "not_yet"
        assert (after["state"], after["anchor"]) == ("open", "handled")
        assert after["due_at"] == "2026-04-04T09:00:00+08:00"

    @pytest.mark.parametrize(
        ("complete", "receipt", "state"),
        [
            (True, None, "not_yet"),
            (None, None, "not_yet"),
            (False, None, "no_number"),
            (False, "09:31", "no_number"),
        ],
    )
    def test_a_supplement_begins_when_a_first_filing_left_items_open(
        self,
        ask: Ask,
        complete: object,
        receipt: str | None,
        state: str,
    ) -> None:
        more = {} if complete is None else {"complete": complete}
        receipt_at = f"2026-03-02T{receipt}:00+08:00" if receipt else None
        told = filed(filing("cn-cac-2025/first", "2026-03-02T09:30:00+08:00", receipt_at, **more))
        duty = obligations(ask(laid(LEVEL_III, told)))["cn-cac-2025/supplement"]

        assert (duty["state"], duty["due_at"], duty["anchor"]) == (state, None, "filed:first")
        assert duty["anchor_at"] == (None if state == "not_yet" else "2026-03-02T09:30:00+08:00")

    def test_each_recipient_has_its_own_supplement(self, ask: Ask) -> None:
        told = filed(filing("cn-cac-2025/first/police", "2026-03-02T09:30:00+08:00", complete=False))
        said = obligations(ask(laid(LEVEL_III, CII, told)))

        assert said["cn-cac-2025/supplement/police"]["state"] == "no_number"
        assert said["cn-cac-2025/supplement/cii_protection_department"]["state"] == "not_yet"

    def test_what_the_law_gives_no_number_for_is_met_by_a_receipt(self, ask: Ask) -> None:
        told = filed(
            filing("cn-informatization/report", "2026-03-02T09:30:00+08:00", "2026-03-02T09:31:00+08:00")
        )

        assert obligations(ask(laid(LEVEL_III, told)))["cn-informatization/report"]["state"] == "met"


WORKING_DAYS = """id: xx-own
name: {zh: 甲, en: A}
source: Art. 1
applies: {when: unit.country == 'CN', source: Art. 1, verified: true}
stages:
  - id: summary
    name: {zh: 总结, en: Summary}
    recipients: [informatization_authority]
    limit: 5wd
    source: Art. 2
    verified: true
    content: {items: [{zh: 甲, en: A}], source: Art. 2, verified: true}
"""


class TestWorkingDays:
    """A limit in working days needs the calendar of its years."""

    def test_it_is_counted_by_the_calendar(self, described: Described) -> None:
        regime, _ = read_regime(WORKING_DAYS, "own.yaml")
        days = frozenset(date(2026, 3, day) for day in range(1, 32) if date(2026, 3, day).weekday() < 5)
        case = read_case(json.dumps(described), "case.yaml")
        (duty,) = explain(
            case, [regime], NOW, calendars=Calendars({"CN": Workdays({2026: days})})
        ).obligations

        assert (duty.state, duty.due_at) == ("open", datetime.fromisoformat("2026-03-09T09:10:00+08:00"))

    def test_without_the_calendar_it_cannot_be_computed(self, described: Described) -> None:
        regime, _ = read_regime(WORKING_DAYS, "own.yaml")
        (duty,) = explain(read_case(json.dumps(described), "case.yaml"), [regime], NOW).obligations

        assert (duty.state, duty.due_at, duty.missing) == (
            "cannot_compute",
            None,
            ("calendar.CN.2026",),
        )


class TestHouseTarget:
    """Where the law gives no number the unit's own target stands beside, and says that it is no law."""

    def test_the_shipped_target_is_an_hour_and_says_it_is_the_house_s(self, ask: Ask) -> None:
        duty = obligations(ask({"incident": {"facts": {"loss_yuan": 0}}}))["cn-informatization/report"]

        assert (duty["state"], duty["due_at"]) == ("no_number", None)
        assert (duty["target_at"], duty["target_by"]) == ("2026-03-02T10:10:00+08:00", "house")
        assert duty["recipient"] == "informatization_authority"

    def test_a_unit_s_own_target_replaces_it(self, ask: Ask) -> None:
        told = {"unit": {"targets": {"cn-informatization/report": "30m"}}}

        assert obligations(ask(told))["cn-informatization/report"]["target_at"] == "2026-03-02T09:40:00+08:00"

    def test_a_target_past_changes_no_state(self, ask: Ask) -> None:
        duty = obligations(ask({}, "2026-03-09T10:00:00+08:00"))["cn-informatization/report"]

        assert duty["state"] == "no_number"

    def test_without_the_anchor_there_is_no_target(self, ask: Ask) -> None:
        told = {"incident": {"times": {"aware": ...}}}
        duty = obligations(ask(told))["cn-informatization/report"]

        assert (duty["state"], duty["target_at"], duty["missing"]) == ("no_number", None, ["times.aware"])
        assert "target_by" not in duty

    def test_a_target_for_a_stage_with_a_limit_is_not_mixed_with_the_law(self, ask: Ask) -> None:
        told = laid(LEVEL_III, {"unit": {"targets": {"cn-cac-2025/first": "30m"}}})

        assert obligations(ask(told))["cn-cac-2025/first"]["target_at"] is None
