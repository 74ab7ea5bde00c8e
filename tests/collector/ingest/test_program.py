"""One signed program for all nodes, made anew when the rules have changed."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from agent.signatures import Signatures
from collector.ingest.answers import RefusedError
from collector.ingest.program import ProgramDesk
from tests.collector.ingest.tower import Tower
from tests.wire.test_program import rule
from wire.messages import Purpose, Signed
from wire.program import Rule, Text, There, digest, read_program

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
RULES = [rule(There("Image", yes=True))]


def sign(identifier: str, purpose: Purpose, body: bytes, now: datetime) -> Signed:
    del now
    return Signed(id=identifier, purpose=purpose, body=body, certificate="", signature=b"s")


def test_who_has_the_rules_is_told_nothing_new_and_an_older_one_gets_them() -> None:
    desk = ProgramDesk(lambda: RULES, sign)

    assert desk.answer(digest(RULES), NOW).status == 304
    reply = desk.answer("", NOW)
    program = read_program(msgspec.json.decode(reply.body, type=Signed).body)
    assert (reply.status, program.rules, program.made_at) == (200, RULES, NOW)


def test_a_reload_counts_at_the_next_question() -> None:
    rules: list[list[Rule]] = [RULES]
    desk = ProgramDesk(lambda: rules[0], sign)
    desk.answer("", NOW)

    rules[0] = [rule(There("Image", yes=False))]
    later = desk.answer(digest(RULES), NOW + timedelta(minutes=1))
    rules[0] = []

    program = read_program(msgspec.json.decode(later.body, type=Signed).body)
    assert program.made_at == NOW + timedelta(minutes=1)
    assert desk.answer(digest(RULES), NOW).status == 204


def test_more_than_an_envelope_holds_is_said_and_not_cut() -> None:
    many = [rule(Text("f", "has", ["x" * 4000] * 400))]
    with pytest.raises(RefusedError, match="fewer rules"):
        ProgramDesk(lambda: many, sign).answer("", NOW)


async def test_a_node_gets_a_program_that_its_own_authority_vouches_for(tower: Tower) -> None:
    tower.rules = RULES
    agent = await tower.enrol()
    async with tower.session(agent) as session, session.get("/v1/program") as answer:
        signed = msgspec.json.decode(await answer.read(), type=Signed)
    signatures = Signatures(tower.authority.trusted.encode())

    assert read_program(signatures.open(signed, "program", tower.now)).rules == RULES
    again = f"/v1/program?have={digest(RULES)}"
    async with tower.session(agent) as session, session.get(again) as answer:
        assert (answer.status, await answer.read()) == (304, b"")
