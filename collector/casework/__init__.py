"""The incident's life: the only writer of incidents, clocks and their alarms."""

from .texts import Jump, Outage
from .writer import Casework, Fired, NeedsReasonError, UnknownIncidentError

__all__ = ["Casework", "Fired", "Jump", "NeedsReasonError", "Outage", "UnknownIncidentError"]
