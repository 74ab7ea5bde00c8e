"""Reports to the authority above, with their receipts, and the reports that collectors below send here."""

from .received import ForeignFilingError, receive
from .upstream import NoSuchClockError, Upstream

__all__ = ["ForeignFilingError", "NoSuchClockError", "Upstream", "receive"]
