"""What a collector may have this node do: one typed action a file behind `port.py`, and no other.

A new action is its file, its twin test, a line in `build`, its kind in `wire.vocabulary` and a section of
`docs/wire.md`.
"""

from ..settings import OrdersSettings
from .collect_evidence import CollectEvidence
from .port import Action, Asked, BadParametersError, Finished


def build(settings: OrdersSettings) -> dict[str, Action]:
    """Return the actions that the settings allow, by kind."""
    known: tuple[Action, ...] = (CollectEvidence(settings.evidence_logs, settings.evidence_bytes),)
    return {action.kind: action for action in known if action.kind in settings.allow}


__all__ = ["Action", "Asked", "BadParametersError", "CollectEvidence", "Finished", "build"]
