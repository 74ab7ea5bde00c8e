"""Reports to the authority above, with their receipts, and the reports that collectors below send here."""

from .received import ForeignFilingError, receive
from .superior import Superior, load_superior
from .upstream import NoSuchClockError, Upstream

__all__ = ["ForeignFilingError", "NoSuchClockError", "Superior", "Upstream", "load_superior", "receive"]
