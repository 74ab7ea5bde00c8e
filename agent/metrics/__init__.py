"""What an agent counts of itself, and the listener where Prometheus may ask for it.

The listener is not imported here: its libraries are memory that a node without it need not spend.
"""

from .figures import Figures, SourceFigures, own_cost

__all__ = ["Figures", "SourceFigures", "own_cost"]
