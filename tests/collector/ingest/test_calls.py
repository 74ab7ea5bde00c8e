"""Outcomes and filings."""

from datetime import UTC, datetime

import pytest

from collector.errors import PermanentError
from collector.ingest import calls
from collector.ingest.answers import RefusedError
from collector.store.nodes import Standing
from tests.collector.ingest.tower import Tower
from tests.collector.trust.test_superior import FILING
from wire.codec import WireError, encode, pack
from wire.messages import DrillAnswer, DrillNotice, Filing, Outcome, Receipt

NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)
AGENT = Standing("n1", "city", "agent", "active")
COLLECTOR = Standing("n2", "city", "collector", "active")
OUTCOME = {"version": 1, "order": "o1", "state": "done", "at": "2026-03-02T04:00:00Z", "detail": {"files": 3}}


class Books:
    def __init__(self) -> None:
        self.ended: list[Outcome] = []
        self.filed: list[bytes] = []

    async def end_order(self, outcome: Outcome, peer: Standing, now: datetime) -> None:
        assert (peer, now) == (AGENT, NOW)
        self.ended.append(outcome)

    async def receive(self, peer: Standing, filing: Filing, raw: bytes, now: datetime) -> Receipt:
        assert (peer, now) == (COLLECTOR, NOW)
        self.filed.append(raw)
        return Receipt(version=1, key=filing.key, number=7, received_at=now, sha256="0", issuer="province")


async def test_an_outcome_is_recorded_for_its_node() -> None:
    books = Books()
    await calls.outcome(books.end_order, AGENT, encode(OUTCOME), "", NOW)
    assert [(ended.order, ended.state, ended.detail) for ended in books.ended] == [
        ("o1", "done", {"files": 3})
    ]


async def test_a_filing_is_recorded_with_its_bytes_as_received() -> None:
    books = Books()
    body, encoding = pack(encode({**FILING, "content": {"text": "报告" * 600}}))
    receipt = await calls.filing(books.receive, COLLECTOR, body, encoding, NOW)
    assert (receipt.key, receipt.number) == ("k", 7)
    assert books.filed == [body]


async def test_an_agent_may_not_file() -> None:
    books = Books()
    with pytest.raises(RefusedError) as refused:
        await calls.filing(books.receive, AGENT, encode(FILING), "", NOW)
    assert (refused.value.reason, refused.value.status) == ("kind", 403)
    assert books.filed == []


async def test_what_is_no_outcome_is_the_senders_mistake() -> None:
    with pytest.raises(WireError):
        await calls.outcome(Books().end_order, AGENT, encode({**OUTCOME, "state": "maybe"}), "", NOW)


async def test_only_collectors_file_over_the_wire(tower: Tower) -> None:
    for kind, status in (("agent", 403), ("collector", 200)):
        node = await tower.enrol(kind)
        async with tower.session(node) as session, session.post("/v1/filings", data=encode(FILING)) as answer:
            assert answer.status == status
    assert len(tower.filings) == 1


async def test_an_outcome_over_the_wire_needs_no_answer(tower: Tower) -> None:
    agent = await tower.enrol()
    async with tower.session(agent) as session, session.post("/v1/outcomes", data=encode(OUTCOME)) as answer:
        assert (answer.status, await answer.read()) == (204, b"")
    assert [(node, outcome.order) for node, outcome in tower.outcomes] == [(agent.node, "o1")]


DRILL = DrillNotice(
    version=1,
    id="d1",
    unit="city",
    name="演练",
    name_en="drill",
    form="live",
    starts_at=NOW,
    ends_at=NOW,
)


async def hear(peer: Standing, notice: DrillNotice, now: datetime) -> DrillAnswer:
    if peer.id != "n2":
        raise PermanentError("announced by another")
    return DrillAnswer(version=1, id=notice.id, state="accepted", by="user:li", at=now)


async def test_a_collector_below_hears_whether_this_side_is_in_its_drill() -> None:
    answer = await calls.drill(hear, COLLECTOR, encode(DRILL), "", NOW)

    assert (answer.id, answer.state, answer.at) == ("d1", "accepted", NOW)


@pytest.mark.parametrize(
    ("peer", "tag"), [(AGENT, "kind"), (Standing("n3", "city", "collector", "active"), "foreign")]
)
async def test_an_agent_or_a_stranger_announces_no_drill(peer: Standing, tag: str) -> None:
    with pytest.raises(RefusedError) as refused:
        await calls.drill(hear, peer, encode(DRILL), "", NOW)
    assert (refused.value.reason, refused.value.status) == (tag, 403)
