"""What a collector may have this node do: one typed action a file behind `port.py`, and no other.

A new action is its file, its twin test, a line in `build`, its kind in `wire.vocabulary`, its parameters in
`wire.orders` and a line in the table of `docs/wire.md`.
"""

from ..settings import OrdersSettings
from .apply_settings import ApplySettings
from .blocking import BlockAddress, UnblockAddress
from .collect_evidence import CollectEvidence
from .isolating import IsolateNode, ReleaseNode
from .port import Action, Asked, BadParametersError, Finished, Node
from .renew_certificate import RenewCertificate
from .rescan import Rescan
from .snapshot_traffic import SnapshotTraffic
from .stop_process import StopProcess


def build(settings: OrdersSettings, node: Node) -> dict[str, Action]:
    """Return the actions that the settings allow, by kind."""
    known: tuple[Action, ...] = (
        CollectEvidence(settings.evidence_logs, settings.evidence_bytes),
        BlockAddress(node.powers),
        UnblockAddress(node.powers),
        IsolateNode(node.powers),
        ReleaseNode(node.powers),
        StopProcess(node.powers),
        SnapshotTraffic(node.powers, settings.evidence_bytes),
        Rescan(node.sources, node.restart),
        RenewCertificate(node.renew),
        ApplySettings(node.pushed, node.check, node.reload),
    )
    return {action.kind: action for action in known if action.kind in settings.allow}


__all__ = ["Action", "Asked", "BadParametersError", "CollectEvidence", "Finished", "Node", "build"]
