"""Which release of a mirror this node takes (pure).

The newest that fits the host, is not withdrawn and has not failed here. An older one than what runs is taken
only where what runs is withdrawn: going back is said by the mirror's signed index, never by a missing file.

>>> host = Host("linux_x86_64", "cp311")
>>> choose(Index((Offer("0.2.0", "f.tar"), Offer("0.10.0", "t.tar"))), "0.2.0", host, ()).version
'0.10.0'
>>> choose(Index((Offer("0.1.0", "o.tar"),), ("0.2.0",)), "0.2.0", host, ()).version
'0.1.0'
"""

import re
import sys
import sysconfig
from collections.abc import Collection

from msgspec import Struct

from wire.releases import ANY, Index, Offer


class Host(Struct, frozen=True):
    """What a bundle has to fit."""

    platform: str
    python: str


def this_host() -> Host:
    """Return what fits the interpreter that runs."""
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    return Host(platform, f"cp{sys.version_info.major}{sys.version_info.minor}")


def choose(index: Index, running: str, host: Host, failed: Collection[str]) -> Offer | None:
    """Return what to install, None where what runs is right.

    Args:
        index: Of the mirror.
        running: The version that runs; one that is no number, of a checkout, counts as the oldest.
        host: Where it runs.
        failed: Versions that were tried here and taken back.
    """
    wrong = {*index.withdrawn, *failed}
    fitting = [
        one
        for one in index.releases
        if one.version not in wrong
        and one.platform in {ANY, host.platform}
        and one.python in {ANY, host.python}
    ]
    best = max(fitting, key=lambda one: order(one.version), default=None)
    if best is None or best.version == running:
        return None
    return best if order(best.version) > order(running) or running in index.withdrawn else None


def order(version: str) -> tuple[int, ...]:
    """Return what versions are compared by.

    >>> order("0.10.1") > order("0.9.9") > order("checkout")
    True
    """
    return tuple(map(int, version.split("."))) if re.fullmatch(r"[0-9]+(\.[0-9]+)*", version) else ()
