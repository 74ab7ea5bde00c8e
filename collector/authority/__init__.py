"""Reports to the authority above, with their receipts, and the reports that collectors below send here."""

from .by_hand import AlreadyFiledError, ByHand, NoProofError
from .by_mail import ByMail
from .drilling import Announcer, NotInDrillError, hear
from .heartbeat import Heartbeat
from .received import ForeignFilingError, receive
from .upstream import NoSuchClockError, Upstream

__all__ = [
    "AlreadyFiledError",
    "Announcer",
    "ByHand",
    "ByMail",
    "ForeignFilingError",
    "Heartbeat",
    "NoProofError",
    "NoSuchClockError",
    "NotInDrillError",
    "Upstream",
    "hear",
    "receive",
]
