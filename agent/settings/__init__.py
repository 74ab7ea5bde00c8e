"""What an operator writes for a node, read with every mistake at its place."""

from .model import Bounds, LogFile, MetricsSettings, OrdersSettings, Settings
from .reading import Mistake, SettingsError, read

__all__ = [
    "Bounds",
    "LogFile",
    "MetricsSettings",
    "Mistake",
    "OrdersSettings",
    "Settings",
    "SettingsError",
    "read",
]
