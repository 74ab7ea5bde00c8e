"""Whatever is asked of the API, it answers as openapi.json says: never a 500, never a shape of its own.

schemathesis makes requests from the document, well formed and not; a real API over a real store answers them.
"""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from collector.api import ENDPOINTS
from collector.api.openapi import describe
from collector.store import schema as tables
from tests.browser.watch_room import Room, a_node, a_received, an_exit, watch_room

described = schemathesis.openapi.from_dict(describe(ENDPOINTS, "0"))
described.config.generation.update(modes=list(schemathesis.GenerationMode))

# Not among them: that all well-formed data is taken, for a cursor or an id can be well formed and of nothing.
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    unsupported_method,
]

pytestmark = pytest.mark.xdist_group("api-fuzz")


class Served:
    """A collector's API in a thread of its own, for a client that knows no event loop."""

    def __init__(self, folder: Path) -> None:
        self.url = self.token = ""
        self._folder = folder
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._over = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),))

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(60), "the API did not start"
        return self

    def __exit__(self, *error: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(60)
        self._loop.close()

    async def _serve(self) -> None:
        async with watch_room(self._folder) as room:
            await _fill(room)
            self.url, self.token = room.url, await room.token("admin")
            self._ready.set()
            await self._over.wait()


async def _fill(room: Room) -> None:
    """Something in every list, so that its answer has a shape to be checked."""
    now = room.clock()
    await room.open()
    await room.runner.work()
    node = a_node(now)
    await room.insert(tables.nodes, node)
    await room.insert(tables.exits, an_exit(node["id"], now))
    await room.insert(tables.received_filings, a_received(now))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("api")) as running:
        yield running


@described.parametrize()
@settings(
    max_examples=15,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_one_the_document_names(case: schemathesis.Case, served: Served) -> None:
    headers = {"Authorization": f"Bearer {served.token}"}
    case.call_and_validate(base_url=served.url, headers=headers, checks=CHECKS)
