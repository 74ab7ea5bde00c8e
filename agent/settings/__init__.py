"""What an operator writes for a node, read with every mistake at its place."""

from .model import Bounds, LogFile, MetricsSettings, OrdersSettings, Settings, UpdateSettings
from .pushed import TRIAL_SECONDS, Held, Moment, Pushed, PushedError, overlaid
from .reading import Mistake, SettingsError, read

__all__ = [
    "TRIAL_SECONDS",
    "Bounds",
    "Held",
    "LogFile",
    "MetricsSettings",
    "Mistake",
    "Moment",
    "OrdersSettings",
    "Pushed",
    "PushedError",
    "Settings",
    "SettingsError",
    "UpdateSettings",
    "overlaid",
    "read",
]
