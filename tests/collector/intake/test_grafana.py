"""Grafana's webhook is read as it sends it, with its ways to the dashboard."""

from pathlib import Path

from collector.intake.grafana import read

SAMPLE = (Path(__file__).parents[2] / "golden" / "intake" / "grafana.json").read_bytes()


def test_an_alert_brings_its_links_and_values() -> None:
    found = read(SAMPLE)
    (alert,) = found.alerts

    assert found.unreadable == []
    assert (alert.fingerprint, alert.ends_at) == ("c6eadffa33fcdf37", None)
    assert alert.links["dashboard"] == "https://grafana.example.gov/d/uid"
    assert alert.links["values"].startswith("[ var='B'")


def test_the_form_of_grafana_8_and_before_is_set_aside() -> None:
    old = b'{"ruleId": 1, "ruleName": "Memory", "state": "alerting", "title": "[Alerting] Memory"}'
    (unreadable,) = read(old).unreadable
    assert "alerts" in unreadable.why
