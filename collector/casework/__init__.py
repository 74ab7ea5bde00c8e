"""The incident's life: the only writer of incidents, clocks and their alarms."""

from .bench import UnknownIncidentError
from .deeds import NeedsReasonError
from .texts import Jump, Outage
from .writer import Casework, Fired

__all__ = ["Casework", "Fired", "Jump", "NeedsReasonError", "Outage", "UnknownIncidentError"]
