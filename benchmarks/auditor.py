"""How long the auditor's pass takes over a great many clocks, most of them over.

    .venv/bin/python benchmarks/auditor.py [--scenario FILE]

The database is SQLite on disk, filled by SQL; the passes are the product's own. The first pass writes and
tells its findings; those that are measured find the same ones again, as the auditor does all day.
"""

import argparse
import asyncio
import contextlib
import shutil
import sqlite3
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from collector.duty import Auditor
from collector.registry import read_registry
from collector.store.engine import Store

FAILED, INVALID = 1, 3
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
FILL = {
    "clocks": """WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)
        INSERT INTO clocks (id, incident, obligation, regime, stage, recipient, anchor, due_at, state,
            content, source, verified, generation, opened_at)
        SELECT 'c' || i, 'i' || i, 'cn-cac-2025/first', 'cn-cac-2025', 'first', 'provincial_cac', 'aware',
            CASE WHEN i <= :late THEN :earlier WHEN i <= :open THEN :later ELSE :past END,
            CASE WHEN i <= :open THEN 'open' ELSE 'met' END, '[]', 'Art. 4', 1, 1, :past FROM n""",
    "alarms": """WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)
        INSERT INTO alarms (id, incident, clock, generation, kind, at, state)
        SELECT 'a' || i, 'i' || i, 'c' || i, 1, 'due',
            CASE WHEN i <= :late THEN :earlier WHEN i <= :open THEN :later ELSE :past END,
            CASE WHEN i <= :open THEN 'armed' ELSE 'fired' END FROM n""",
    "notices": """WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)
        INSERT INTO notices (id, key, incident, person, channel, payload, state, attempts, created_at,
            next_at, fence, drill)
        SELECT 'n' || i, 'k' || i, 'i' || i, 'wang', 'mail', '{}', 'sent', 1, :past, :past, 1, 0 FROM n""",
    "filings": """WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)
        INSERT INTO filings (id, key, incident, clock, obligation, recipient, way, state, payload, attempts,
            created_at, next_at, fence, receipt_at)
        SELECT 'f' || i, 'k' || i, 'i' || i, 'c' || i, 'o', 'r', 'upstream', 'receipted', '{}', 1, :past,
            :past, 1, :past FROM n""",
}


def fill(file: Path, scenario: dict[str, Any]) -> None:
    """Fill the tables: the first clocks are open, of those the first are late."""
    hours = {"later": 3, "earlier": -1, "past": -720}
    values: dict[str, Any] = {
        name: (NOW + timedelta(hours=count)).strftime("%Y-%m-%d %H:%M:%S.000000")
        for name, count in hours.items()
    }
    values |= {"open": scenario["open"], "late": scenario["late"]}
    with contextlib.closing(sqlite3.connect(file)) as db:
        db.execute("PRAGMA synchronous=OFF")
        for table, sql in FILL.items():
            db.execute(sql, values | {"count": scenario[table]})
        db.commit()


async def measure(url: str, scenario: dict[str, Any], prepare: Any) -> tuple[int, list[float]]:
    registry = read_registry((HERE.parent / "tests/golden/office.yaml").read_text(), "office.yaml")
    store = await Store.open(url)
    prepare()
    auditor = Auditor(store, lambda: registry, "city", now=lambda: NOW)
    found = len(await auditor.audit())
    took = []
    for _ in range(scenario["passes"]):
        began = time.perf_counter()
        await auditor.audit()
        took.append((time.perf_counter() - began) * 1000)
    await store.close()
    return found, sorted(took)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--scenario", type=Path, default=HERE / "scenarios" / "auditor.yaml")
    scenario = yaml.safe_load(parser.parse_args().scenario.read_text())
    folder = Path(tempfile.mkdtemp(prefix="fengsui-auditor-"))
    file = folder / "state.db"
    url = f"sqlite+aiosqlite:///{file}"
    try:
        found, took = asyncio.run(measure(url, scenario, lambda: fill(file, scenario)))
        size = file.stat().st_size
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    median, p99 = took[len(took) // 2], took[int(len(took) * 0.99) - 1]
    print(f"{scenario['clocks']} clocks, {scenario['open']} open, {size / 1e6:.0f} MB; findings {found}")
    print(f"a pass: median {median:.1f} ms, p99 {p99:.1f} ms, longest {took[-1]:.1f} ms of {len(took)}")
    if found != scenario["counters"]["findings"]:
        print(f"invalid: {found} findings, expected {scenario['counters']['findings']}", file=sys.stderr)
        return INVALID
    return FAILED if p99 > scenario["expect"]["p99_ms"] else 0


if __name__ == "__main__":
    sys.exit(main())
