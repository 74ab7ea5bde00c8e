"""What a collector may have this node do: one typed action a file behind `port.py`, and no other."""

from .collect_evidence import CollectEvidence
from .port import Action, BadParametersError, Finished

ACTIONS: tuple[type[CollectEvidence], ...] = (CollectEvidence,)

__all__ = ["ACTIONS", "Action", "BadParametersError", "CollectEvidence", "Finished"]
