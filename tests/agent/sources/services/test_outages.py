import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agent.sources.services.outages import Known, Outages, OutagesSettings, Service

Watching = Callable[..., AbstractAsyncContextManager[Any]]
NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)


@pytest.fixture
def door() -> Iterator[socket.socket]:
    """A port that is bound, so that nobody else takes it, and listens when told."""
    with closing(socket.socket()) as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound


def port(door: socket.socket, *, portal: bool = True) -> Service:
    return Service(name="portal", port=f"127.0.0.1:{door.getsockname()[1]}", portal=portal)


def source(state: Path, *services: Service) -> Outages:
    return Outages(OutagesSettings(services=services, down_after=3, up_after=2), state=state)


def minute(number: int) -> datetime:
    return NOON + timedelta(minutes=number)


def test_a_portal_that_does_not_answer_is_down_since_the_first_failure(
    tmp_path: Path, door: socket.socket
) -> None:
    outages = source(tmp_path, port(door))
    known, found = Known(), []
    for number in range(4):
        look = outages.look(minute(number), known, alone=False)
        known = msgspec.convert(look.notes, Known)
        found.append(look.findings)

    assert found[:2] == [(), ()]
    (finding,) = found[3]
    assert (finding.klass, finding.severity_hint, finding.lasting) == ("DETECH", "high", "portal_down")
    assert finding.first_seen == NOON
    assert finding.evidence == [{"check": "portal", "target": finding.target, "why": "Connection refused"}]


def test_a_service_that_answers_is_no_matter(tmp_path: Path, door: socket.socket) -> None:
    door.listen()
    look = source(tmp_path, port(door)).look(NOON, Known(), alone=True)

    assert look.findings == look.unreadable == ()


def test_the_outage_of_what_is_no_portal_bears_no_fact_of_the_portal(
    tmp_path: Path, door: socket.socket
) -> None:
    (finding,) = source(tmp_path, port(door, portal=False)).look(NOON, Known(), alone=True).findings

    assert (finding.severity_hint, finding.lasting) == ("medium", "")


async def test_recovery_ends_it_with_its_minutes(
    tmp_path: Path, door: socket.socket, watching: Watching
) -> None:
    settings = OutagesSettings(services=(port(door),), down_after=2, up_after=2, poll=0.01)
    async with watching(Outages(settings, state=tmp_path)) as heard:
        began = await heard.until(lambda one: one.kind == "incident")
        door.listen()
        over = await heard.until(lambda one: one.body.get("restored"))

    assert list(began.body["facts"]) == ["portal_down_since"]
    assert over.body["facts"] == {"portal_down_minutes": 1}
    assert over.body["key"] == began.body["key"] == "outages:portal"


def test_what_nobody_can_say_ends_no_outage(tmp_path: Path) -> None:
    unit = Service(name="web", unit="nginx.service")
    outages = Outages(
        OutagesSettings(services=(unit,), systemctl=(str(tmp_path / "nowhere"),)), state=tmp_path
    )
    look = outages.look(NOON, Known(), alone=False)

    assert look.blind == ("outages:web",)
    assert look.unreadable[0][0] == "nginx.service"


@pytest.mark.parametrize("ways", [{}, {"url": "https://127.0.0.1/", "port": "127.0.0.1:1"}])
def test_a_service_is_checked_in_exactly_one_way(ways: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="exactly one of url, port and unit"):
        Service(name="portal", **ways)  # type: ignore[arg-type] # texts all
