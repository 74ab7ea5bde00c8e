"""Part of clocks.py: the duty office whose clocks run, and the one incident that is copied."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from collector.casework import Casework
from collector.escalation import read_policy
from collector.incident import Finding
from collector.regimes import load_regimes
from collector.registry import read_registry
from collector.store.engine import Store


class InvalidError(Exception):
    """The run says nothing."""


def now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - a process of its own


def casework() -> Casework:
    registry = read_registry((ROOT / "tests/golden/office.yaml").read_text(), "office.yaml")
    regimes = load_regimes(ROOT / "configs/regimes")
    policy = read_policy((ROOT / "configs/escalation/default.yaml").read_text(), "default.yaml")
    return Casework(registry=lambda: registry, regimes=lambda: regimes, policy=lambda: policy)


async def open_one(url: str) -> None:
    """Open the incident that is copied: level III, so that the first report is owed."""
    at = now() - timedelta(hours=3)
    finding = Finding(
        fingerprint="f",
        klass="NAWEBMOD",
        unit="county",
        asset="portal",
        facts={"declared_level": "III"},
        times={"occurred": at, "detected": at},
        first_seen=at,
        last_seen=at,
        title="门户网站首页被篡改",
        title_en="home page of the portal tampered with",
        source="node:node-1",
    )
    store = await Store.open(url)
    async with store.write() as connection:
        await casework().open(connection, finding, at, at)
    await store.close()
