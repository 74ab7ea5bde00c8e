"""A furnished collector on either database."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.collector.backups.yard import Yard
from tests.conftest import Office


@pytest.fixture
def new_postgres(request: pytest.FixtureRequest) -> Iterator[Callable[[], str]]:
    """Makes a new, empty database at each call; the server is started at the first."""
    made: list[str] = []

    def server() -> Any:  # noqa: ANN401 - the wheel's class is not exported
        return request.getfixturevalue("postgres_server")

    def make() -> str:
        made.append(f"test_{uuid4().hex}")
        server().psql(f"CREATE DATABASE {made[-1]}")
        return str(server().get_uri(database=made[-1]))

    yield make
    for name in made:
        server().psql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def yard(tmp_path: Path, office: Office) -> Yard:
    """On SQLite, for what does not depend on the database."""
    yard = Yard(tmp_path / "yard")
    await yard.furnish(office)
    return yard


@pytest.fixture(params=["sqlite", "postgres"])
async def any_yard(
    request: pytest.FixtureRequest, tmp_path: Path, office: Office, new_postgres: Callable[[], str]
) -> Yard:
    """On SQLite, and on two databases of a real PostgreSQL."""
    urls = (new_postgres(), new_postgres()) if request.param == "postgres" else ("", "")
    yard = Yard(tmp_path / "yard", *urls)
    await yard.furnish(office)
    return yard
