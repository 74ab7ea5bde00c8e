"""The stages of the other regimes of the table, each with its limits."""

from datetime import datetime
from typing import Any

import pytest

from .conftest import Ask, Described, filed, filing, laid, obligations


def abroad(region: str, **more: Any) -> Described:  # noqa: ANN401 - parts of a case
    return laid({"unit": {"region": region, "timezone": ...}, "incident": {"facts": {}}}, more)


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

    @pytest.mark.parametrize(
        ("patched", "filings", "due"),
        [
            (None, [], None),
            (None, ["2026-09-30T09:00:00+02:00"], "2026-10-30T09:00:00+02:00"),  # as an incident's
            ("2026-10-01T09:00:00+02:00", [], "2026-10-15T09:00:00+02:00"),  # as a vulnerability's
            ("2026-10-01T09:00:00+02:00", ["2026-09-30T09:00:00+02:00"], "2026-10-15T09:00:00+02:00"),
            ("2026-10-20T09:00:00+02:00", ["2026-09-30T09:00:00+02:00"], "2026-10-30T09:00:00+02:00"),
        ],
    )
    def test_cra_final_is_owed_by_the_reading_due_first_while_nobody_says_what_it_is(
        self, ask: Ask, patched: str | None, filings: list[str], due: str | None
    ) -> None:
        times = {"aware": "2026-09-29T09:00:00+02:00"} | ({"patch_available": patched} if patched else {})
        told = laid(
            abroad("DE", asset={"role": "product"}, incident={"kind": ..., "times": times}),
            filed(*(filing("eu-cra/notification", at) for at in filings)),
        )
        final = obligations(ask(told, "2026-10-20T10:00:00+02:00"))["eu-cra/final"]

        assert (final["due_at"], final["missing"]) == (due, ["incident.kind"])
        assert final["state"] == ("not_yet" if due is None else "overdue" if due < "2026-10-20" else "open")

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
