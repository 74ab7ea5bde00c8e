"""How a node reaches the internet, judged: pure, from what the node says and what the register allows.

Evidence first, verdict second. The rules stand as a table in `docs/exposure.md`.
"""

from .facts import Asset, Declared, Exits, Facts, Sockets
from .judged import GRAVITY, Judged, worst
from .reasons import REASONS, Reason
from .scope import Scope, scope_of
from .standing import Standing, Way, standing, together
from .verdict import judge

__all__ = [
    "GRAVITY",
    "REASONS",
    "Asset",
    "Declared",
    "Exits",
    "Facts",
    "Judged",
    "Reason",
    "Scope",
    "Sockets",
    "Standing",
    "Way",
    "judge",
    "scope_of",
    "standing",
    "together",
    "worst",
]
