"""What is said of a node whose key two hosts have."""

from datetime import datetime

from ..incident import Finding
from ..store.nodes import NodeRow

KLASS = "DETECH"
SOURCE = "identity"


def cloned(row: NodeRow, now: datetime) -> Finding:
    """Return the finding: one incident a node, however often it forks."""
    return Finding(
        fingerprint=f"{row.id}/cloned",
        klass=KLASS,
        unit=row.unit,
        node=row.id,
        times={"occurred": now, "detected": now},
        first_seen=now,
        last_seen=now,
        title=f"节点密钥被两台主机使用：{row.host_name}",
        title_en=f"two hosts use the key of one node: {row.host_name}",
        evidence=(
            {
                "source": SOURCE,
                "node": row.id,
                "why": "cloned",
                "machine_id": row.machine_id,
                "certificate_serial": row.certificate_serial,
                "received_at": now.isoformat(),
            },
        ),
        source=SOURCE,
    )
