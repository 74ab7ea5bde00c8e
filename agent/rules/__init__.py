"""Evaluates a collector's rule program on a node's own events: pure, fed with events and times.

event ──> index by kind ──> conditions ──> Match ──> bounded by rule ──> what becomes an incident
"""

from .engine import Engine, Match
from .events import Event

__all__ = ["Engine", "Event", "Match"]
