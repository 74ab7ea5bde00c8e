"""Fires what is due, and checks by another way that everything due was fired."""

from .auditor import Auditor
from .checkpointing import Checkpointing
from .clock import DutyClock
from .silence import Silence

__all__ = ["Auditor", "Checkpointing", "DutyClock", "Silence"]
