"""An agent with two addresses, two collectors on one PostgreSQL: either may go, and nothing else changes."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from secrets import token_hex
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from .pair import TARGET_SECONDS, Pair

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(180),
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("failover"),
]
_log = logging.getLogger(__name__)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pair(
    postgres_server: Any,  # noqa: ANN401 - the wheel's class is not exported
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Pair]:
    folder: Path = tmp_path_factory.mktemp("failover") / "pair"
    names = [f"failover_{token_hex(4)}_{part}" for part in ("state", "events")]
    for name in names:
        postgres_server.psql(f"CREATE DATABASE {name}")
    made = Pair(folder, *(postgres_server.get_uri(database=name) for name in names))
    try:
        await made.rise()
        yield made
    finally:
        await made.end()
        for name in names:
            postgres_server.psql(f"DROP DATABASE {name} WITH (FORCE)")


async def nothing_lost_nothing_doubled(pair: Pair) -> None:
    delivered = await pair.delivered()
    assert [node for node, _ in delivered] == [pair.node], "one node, one epoch"
    for numbers in delivered.values():
        assert numbers == list(range(1, len(numbers) + 1))


async def one_incident_a_tampering(pair: Pair) -> None:
    expected = sorted(f"{pair.node}/NAWEBMOD/files:{root}" for root in pair.tampered)

    async def told() -> bool:
        rows = await pair.select("SELECT fingerprint FROM incidents")
        return len(rows) >= len(expected)

    await pair.eventually(told)
    rows = await pair.select("SELECT fingerprint FROM incidents ORDER BY 1")
    assert [row[0] for row in rows] == expected, "and none of a silence or a clone"


async def every_target_sounds_once_and_in_time(pair: Pair) -> None:
    async def sounded() -> bool:
        query = "SELECT count(*) FROM alarms WHERE kind = 'target' AND state = 'fired'"
        return await pair.select(query) == [(len(pair.tampered),)]

    await pair.eventually(sounded, within=TARGET_SECONDS + 20)
    query = "SELECT max(extract(epoch FROM fired_at - at)) FROM alarms WHERE kind = 'target'"
    ((late,),) = await pair.select(query)
    assert late < 5
    doubled = "SELECT subject FROM journal WHERE action = 'clock.fired' GROUP BY 1 HAVING count(*) > 1"
    assert await pair.select(doubled) == []


async def no_false_alarm(pair: Pair) -> None:
    said = "SELECT action FROM journal WHERE action IN ('node.silent', 'node.back', 'node.replaced')"
    assert await pair.select(said) == []
    assert await pair.select("SELECT state, cloned_at, presence FROM nodes") == [("active", None, None)]
    found = "SELECT subject FROM journal WHERE action = 'audit.finding'"
    said = [subject for (subject,) in await pair.select(found)]
    assert [one for one in said if not one.startswith("calendar:")] == [], "but what autumn says"
    assert await pair.select("SELECT * FROM quarantine") == []


async def ended(pair: Pair, order: str) -> str:
    async def end() -> str:
        ((state,),) = await pair.select("SELECT state FROM orders WHERE id = $1", order)
        return "" if state == "open" else str(state)

    state = str(await pair.eventually(end))
    ends = "SELECT count(*) FROM journal WHERE action = 'order.ended' AND subject = $1"
    assert await pair.select(ends, f"order:{order}") == [(1,)]
    return state


async def a_fresh_certificate_and_settings_come_through(pair: Pair, where: str) -> None:
    serial = "SELECT certificate_serial FROM nodes"
    before = await pair.select(serial)
    pushed = "SELECT body FROM node_facts WHERE kind = 'heartbeat'"
    version = pair.pushed_version()
    settings = {"version": version + 1, "settings": {"heartbeat_seconds": 1 + (version + 1) / 10}}
    assert await ended(pair, await pair.give(where, "apply_settings", settings)) == "done"
    assert await ended(pair, await pair.give(where, "renew_certificate", {})) == "done"

    async def renewed() -> bool:
        return await pair.select(serial) != before

    async def kept() -> bool:
        ((said,),) = await pair.select(pushed)
        return f'"version":{version + 1},"state":"kept"' in said.replace(" ", "")

    await pair.eventually(renewed)
    await pair.eventually(kept)


@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "stopped in good order"])
async def test_when_the_collector_it_reports_to_goes_everything_goes_on_through_the_other(
    pair: Pair, by: signal.Signals
) -> None:
    serving, left = await pair.both()
    await pair.tamper(6)
    await pair.lose(serving, by)
    gone = await pair.now()
    await pair.tamper(6)
    seconds = await pair.heard_since(gone)
    _log.info("%s: heard through the other after %.2f s", by.name, seconds)

    assert seconds < 10
    assert pair.serving() == left
    await one_incident_a_tampering(pair)
    await a_fresh_certificate_and_settings_come_through(pair, left)
    await every_target_sounds_once_and_in_time(pair)
    await nothing_lost_nothing_doubled(pair)
    await no_false_alarm(pair)


async def test_an_order_given_at_the_other_collector_is_carried_out_once_within_seconds(pair: Pair) -> None:
    """By somebody who has signed in at the one, which is known at both."""
    serving, other = await pair.both()
    taken = []
    for _ in range(3):
        begun = time.monotonic()
        assert await ended(pair, await pair.give(other, "rescan", {}, signed_in=serving)) == "done"
        taken.append(time.monotonic() - begun)
    _log.info("orders of the other collector took %s s", ", ".join(f"{one:.2f}" for one in taken))

    assert max(taken) < 10
    await nothing_lost_nothing_doubled(pair)
    await no_false_alarm(pair)


async def test_the_journal_of_both_holds_for_either(pair: Pair) -> None:
    for told in await asyncio.gather(*(pair.ask(where, "audit", "verify") for where in await pair.both())):
        assert (told["ok"], told["breaks"]) == (True, [])
        assert told["chains"] > 1
