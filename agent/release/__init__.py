"""Releases of the agent on this node: two folders, an update from a signed mirror, a trial, the way back."""

from .bundle import BundleError, install
from .choice import Host, choose, this_host
from .proof import Proof, Standing, own_release, read_standing
from .slots import Release, Slots
from .updating import Outcome, Updater, Ways

__all__ = [
    "BundleError",
    "Host",
    "Outcome",
    "Proof",
    "Release",
    "Slots",
    "Standing",
    "Updater",
    "Ways",
    "choose",
    "install",
    "own_release",
    "read_standing",
    "this_host",
]
