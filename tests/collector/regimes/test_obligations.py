"""Which reports are owed, to whom, by when, and how each stands: the states, one by one."""

from datetime import datetime
from typing import Any

import pytest

from .conftest import Ask, Described, laid, obligations

AWARE = "2026-03-02T09:10:00+08:00"
LEVEL_III = {"incident": {"facts": {"personal_records": 1_000_000}}}
LEVEL_II = {"incident": {"facts": {"personal_records": 10_000_000}}}
CII = {"asset": {"cii": True}}
CENTRAL = {"unit": {"kind": "central_organ"}}
HANDLED = {"incident": {"times": {"handled": "2026-03-05T09:00:00+08:00"}}}


def filed(*filings: Described) -> Described:
    return {"incident": {"filings": list(filings)}}


def filing(obligation: str, at: str, receipt_at: str | None = None, **more: object) -> Described:
    told: Described = {"obligation": obligation, "at": at, **more}
    return told if receipt_at is None else {**told, "receipt_at": receipt_at}


def abroad(region: str, **more: Any) -> Described:  # noqa: ANN401 - parts of a case
    return laid({"unit": {"region": region, "timezone": ...}, "incident": {"facts": {}}}, more)


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


MAJOR = {"major": True}
BANK = {"unit": {"region": "DE", "sector": "finance", "kind": "enterprise", "timezone": "Europe/Berlin"}}


def dora(ask: Ask, times: Described, at: str = "2026-06-01T12:00:00+02:00") -> Described:
    told = {"incident": {"times": {"aware": ..., **times}, "facts": MAJOR}}
    duty: Described = obligations(ask(laid(BANK, told), at))["eu-dora/initial"]
    return duty


class TestDora:
    """Four hours after classification, at most 24 after awareness; classified later: four after that."""

    @pytest.mark.parametrize(
        ("aware", "graded", "anchor", "due"),
        [
            ("2026-06-01T08:00", None, "aware", "2026-06-02T08:00"),
            ("2026-06-01T08:00", "2026-06-01T09:00", "graded", "2026-06-01T13:00"),
            ("2026-06-01T08:00", "2026-06-02T04:00", "graded", "2026-06-02T08:00"),
            ("2026-06-01T08:00", "2026-06-02T05:00", "aware", "2026-06-02T08:00"),
            ("2026-06-01T08:00", "2026-06-02T08:00", "aware", "2026-06-02T08:00"),
            ("2026-06-01T08:00", "2026-06-02T08:01", "graded", "2026-06-02T12:01"),
        ],
    )
    def test_the_initial_notification(
        self, ask: Ask, aware: str, graded: str | None, anchor: str, due: str
    ) -> None:
        times = {"aware": f"{aware}:00+02:00"}
        if graded is not None:
            times["graded"] = f"{graded}:00+02:00"
        duty = dora(ask, times, "2026-06-02T09:00:00+02:00")

        assert (duty["anchor"], duty["due_at"][:16]) == (anchor, due)

    def test_a_classification_later_than_now_has_not_happened(self, ask: Ask) -> None:
        times = {"aware": "2026-06-01T08:00:00+02:00", "graded": "2026-06-01T13:00:00+02:00"}

        assert dora(ask, times)["anchor"] == "aware"

    def test_without_awareness_the_four_hours_run_and_what_is_missing_is_said(self, ask: Ask) -> None:
        duty = dora(ask, {"graded": "2026-06-01T09:00:00+02:00"})

        assert (duty["state"], duty["due_at"][11:16], duty["missing"]) == ("open", "13:00", ["times.aware"])

    def test_without_both_it_cannot_be_computed(self, ask: Ask) -> None:
        duty = dora(ask, {})

        assert (duty["state"], duty["due_at"], duty["missing"]) == ("cannot_compute", None, ["times.aware"])

    def test_the_later_stages_run_from_the_filings_before_them(self, ask: Ask) -> None:
        told = laid(
            BANK,
            {"incident": {"facts": MAJOR, "times": {"aware": "2026-01-28T08:00:00+01:00"}}},
            filed(
                filing("eu-dora/initial", "2026-01-28T12:00:00+01:00"),
                filing("eu-dora/intermediate", "2026-01-31T10:00:00+01:00"),
            ),
        )
        said = obligations(ask(told, "2026-02-01T09:00:00+01:00"))

        assert said["eu-dora/intermediate"]["due_at"] == "2026-01-31T12:00:00+01:00"
        assert said["eu-dora/intermediate"]["anchor"] == "filed:initial"
        assert said["eu-dora/intermediate"]["state"] == "overdue"
        assert said["eu-dora/final"]["due_at"] == "2026-02-28T10:00:00+01:00"


class TestAbroad:
    """The other regimes of the table, each with its limits."""

    @pytest.mark.parametrize(
        ("told", "owed"),
        [
            (
                abroad("FR", incident={"facts": {"significant": True}}),
                {"early_warning": "24h", "notification": "72h", "intermediate": None, "final": None},
            ),
            (abroad("FR", incident={"facts": {"personal_records": 1}}), {"notification": "72h"}),
            (
                abroad("US-VA", unit={"kind": "central_organ"}, incident={"facts": {"major": False}}),
                {"first": "1h"},
            ),
            (
                abroad("US", unit={"kind": "central_organ"}, incident={"facts": {"major": True}}),
                {"first": "1h", "congress": "168h"},
            ),
            (abroad("IN"), {"first": "6h"}),
            (abroad("SG", asset={"cii": True}), {"first": "2h", "supplementary": "72h", "final": "720h"}),
            (abroad("KR"), {"first": "24h"}),
            (
                abroad("AU", asset={"cii": True}, incident={"facts": {"significant": True}}),
                {"first": "12h", "written": "84h"},
            ),
            (
                abroad(
                    "AU", asset={"cii": True}, incident={"facts": {"significant": False, "relevant": True}}
                ),
                {"first": "72h"},
            ),
            (
                abroad(
                    "AU", asset={"cii": True}, incident={"facts": {"significant": False, "relevant": False}}
                ),
                {},
            ),
            (
                abroad("HK", asset={"cii": True}, incident={"facts": {"core_function_disrupted": True}}),
                {"first": "12h"},
            ),
            (
                abroad(
                    "CN-HK",
                    unit={"kind": "cii_operator"},
                    incident={"facts": {"core_function_disrupted": False}},
                ),
                {"first": "48h"},
            ),
            (abroad("TW"), {"first": "1h"}),
            (abroad("CN-TW"), {"first": "1h"}),
            (abroad("GB", incident={"facts": {"significant": True}}), {"first": "72h"}),
        ],
    )
    def test_a_regime_owes_its_stages_by_its_limits(
        self, ask: Ask, told: Described, owed: dict[str, str | None]
    ) -> None:
        said = ask(told)["obligations"]
        limits = {}
        for duty in said:
            since = duty["due_at"] and _hours(duty["anchor_at"], duty["due_at"])
            limits[duty["stage"]] = since and f"{since:g}h"

        assert limits == owed

    @pytest.mark.parametrize(
        ("told", "due", "missing"),
        [
            (abroad("AU", asset={"cii": True}), "12h", ["facts.significant"]),
            (
                abroad("AU", asset={"cii": True}, incident={"facts": {"significant": False}}),
                "72h",
                ["facts.relevant"],
            ),
            (
                abroad("AU", asset={"cii": True}, incident={"facts": {"relevant": False}}),
                "12h",
                ["facts.significant"],
            ),
            (abroad("HK", asset={"cii": True}), "12h", ["facts.core_function_disrupted"]),
        ],
    )
    def test_where_the_choice_hangs_on_an_unknown_fact_the_stricter_reading_counts(
        self, ask: Ask, told: Described, due: str, missing: list[str]
    ) -> None:
        first = next(duty for duty in ask(told)["obligations"] if duty["stage"] == "first")

        assert f"{_hours(first['anchor_at'], first['due_at']):g}h" == due
        assert first["missing"] == missing

    def test_congress_is_owed_while_nobody_knows_whether_the_incident_is_major(self, ask: Ask) -> None:
        said = obligations(ask(abroad("US", unit={"kind": "central_organ"})))

        assert said["us-fisma/congress"]["missing"] == ["facts.major"]

    def test_nis2_intermediate_begins_on_request(self, ask: Ask) -> None:
        requested = {"intermediate_requested": "2026-03-03T09:00:00+08:00", "significant": True}
        told = abroad("FR", incident={"facts": requested})
        before, after = (
            obligations(ask(told, at))["eu-nis2/intermediate"]
            for at in ("2026-03-03T08:59:59+08:00", "2026-03-03T09:00:00+08:00")
        )

        assert (before["state"], before["anchor_at"]) == ("not_yet", None)
        assert (after["state"], after["anchor"]) == ("no_number", "intermediate_requested")
        assert after["anchor_at"] == "2026-03-03T09:00:00+08:00"

    def test_nis2_final_runs_a_month_from_the_filing_receipt_or_not(self, ask: Ask) -> None:
        told = laid(
            abroad("FR", incident={"facts": {"significant": True}}),
            filed(filing("eu-nis2/notification", "2026-03-31T17:00:00+02:00")),
        )
        duty = obligations(ask(told, "2026-04-01T09:00:00+02:00"))["eu-nis2/final"]

        assert (duty["anchor"], duty["state"]) == ("filed:notification", "open")
        assert duty["due_at"] == "2026-04-30T17:00:00+02:00"

    @pytest.mark.parametrize(
        ("kind", "times", "anchor", "due"),
        [
            ("vulnerability", {}, "patch_available", None),
            (
                "vulnerability",
                {"patch_available": "2026-10-01T09:00:00+02:00"},
                "patch_available",
                "2026-10-15T09:00:00+02:00",
            ),
            ("incident", {}, "filed:notification", "2026-10-30T09:00:00+02:00"),
        ],
    )
    def test_cra_final_runs_from_the_patch_or_from_the_notification(
        self, ask: Ask, kind: str, times: Described, anchor: str, due: str | None
    ) -> None:
        aware = {"aware": "2026-09-29T09:00:00+02:00"}
        told = laid(
            abroad("DE", asset={"role": "product"}, incident={"kind": kind, "times": {**aware, **times}}),
            filed(filing("eu-cra/notification", "2026-09-30T09:00:00+02:00")),
        )
        duty = obligations(ask(told, "2026-10-02T09:00:00+02:00"))["eu-cra/final"]

        assert (duty["anchor"], duty["due_at"]) == (anchor, due)
        assert duty["state"] == ("open" if due else "not_yet")

    def test_circia_runs_from_belief_and_from_payment(self, ask: Ask) -> None:
        named = {**abroad("US"), "regimes": ["us-circia"]}
        nothing = obligations(ask(named))
        times = {"believed": "2026-03-01T00:00:00-05:00", "paid": "2026-03-01T12:00:00-05:00"}
        both = obligations(ask(laid(named, {"incident": {"times": times}})))

        assert nothing["us-circia/incident"]["state"] == "cannot_compute"
        assert nothing["us-circia/incident"]["missing"] == ["times.believed"]
        assert nothing["us-circia/ransom"]["state"] == "not_yet"
        assert both["us-circia/incident"]["due_at"] == "2026-03-04T00:00:00-05:00"
        assert both["us-circia/ransom"]["due_at"] == "2026-03-02T12:00:00-05:00"


def _hours(start: str, end: str) -> float:

    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds() / 3600
