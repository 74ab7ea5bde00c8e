"""Alerts of other tools, as their webhooks send them: one format a file, one line here."""

from collections.abc import Callable, Mapping

from . import alertmanager, grafana
from .port import Read
from .taking import Intake

FORMATS: Mapping[str, Callable[[bytes], Read]] = {
    "alertmanager": alertmanager.read,
    "grafana": grafana.read,
}

__all__ = ["FORMATS", "Intake"]
