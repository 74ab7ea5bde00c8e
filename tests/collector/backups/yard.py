"""A collector's folder with everything that a backup has to hold, made by the product's own parts."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import yaml

from collector.backups import Manifest, take
from collector.duty.checkpointing import Checkpointing
from collector.eventlog.opening import open_log
from collector.settings import Settings, read_settings
from collector.store import cursors, journal
from collector.store.engine import Store
from collector.trust.ca import Authority
from collector.trust.checkpoints import journal_key, keep_newest
from tests.conftest import Office
from wire.session import Slice

NINE = datetime(2026, 3, 2, 1, tzinfo=UTC)
REPORTS = 7


def quiet(part: str, done: int, total: int) -> None:
    assert done <= total, part


def died(name: str, error: BaseException) -> None:
    raise AssertionError(name) from error


@dataclass
class Yard:
    """Where everything lies; `furnish` fills it."""

    folder: Path
    url: str = ""
    events: str = ""

    @property
    def file(self) -> Path:
        return self.folder / "etc" / "collector.yaml"

    @property
    def state(self) -> Path:
        return self.folder / "var"

    @property
    def settings(self) -> Settings:
        return read_settings(self.file.read_text(), str(self.file), {})

    def write_settings(self) -> None:
        (self.file.parent / "plans").mkdir(parents=True)
        (self.file.parent / "elsewhere").mkdir()
        (self.file.parent / "plans" / "own.yaml").write_text("# ours\n")
        (self.file.parent / "registry.yaml").write_text("# the register\n")
        (self.folder / "mail-password").write_text("secret\n")
        content = {
            "unit": "county",
            "registry": "registry.yaml",
            "state_dir": "../var",
            "playbooks": "plans",
            "database": {"url": self.url, "events": self.events},
            "channels": [{"name": "w", "kind": "webhook", "secret_file": str(self.folder / "mail-password")}],
            "language": "en",
        }
        self.file.write_text(yaml.safe_dump(content))

    async def furnish(self, office: Office) -> None:
        """An incident with its clocks and alarms, batches of a node, keys, a signed end of the journal."""
        self.write_settings()
        self.state.mkdir(mode=0o700)
        (self.state / "superior").mkdir(mode=0o700)
        (self.state / "superior" / "superior.json").write_text("{}")
        (self.state / "ports.json").write_text("{}")
        Authority.at(self.state, "county", NINE)
        store = await Store.open(self.settings.database_url)
        async with store.write() as connection:
            finding = office.finding(NINE, facts={"declared_level": "III"})
            await office.casework.open(connection, finding, NINE, NINE)
            await cursors.move_cursor(connection, cursors.PIPELINE, 0, REPORTS)
        seal = Checkpointing(
            store, journal_key(self.state), now=lambda: NINE, keep=partial(keep_newest, self.state)
        )
        await seal.seal()
        await store.close()
        log = await open_log(self.settings.events_url, died)
        for n in range(1, REPORTS + 1):
            batch = Slice(n - 1, f"r{n - 1}" if n > 1 else "", (n,), (f"r{n}",))
            await log.append("node-1", "e", batch, bytes([n]) * 99, NINE + timedelta(microseconds=n))
        await log.close()

    async def backed_up(self, folder: Path, tell: Callable[[str, int, int], None] = quiet) -> Manifest:
        return await take(self.settings, self.file, folder, now=NINE, version="1", tell=tell)

    async def say(self, action: str) -> None:
        """Something happens after the backup."""
        store = await Store.open(self.settings.database_url)
        async with store.write() as connection:
            await journal.write(connection, journal.Entry(actor="system", action=action, subject="x:1"), NINE)
        await store.close()

    async def actions(self) -> list[str]:
        """What the journal tells of."""
        store = await Store.open(self.settings.database_url)
        async with store.read() as connection:
            told = [row.action async for row in journal.read_chains(connection)]
        await store.close()
        return told


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder with its content."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
