"""A node holds the newest program it can believe, over restarts, and says what it does not take."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
import pytest

from agent.program import Programs
from agent.signatures import Signatures
from agent.transport import Reply, UnreachableError
from tests.agent.conftest import Authority
from tests.wire.test_program import rule
from wire.codec import encode
from wire.program import And, Program, Rule, There, digest, encode_program

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

NOW = datetime.now(UTC)  # noqa: TID251 - certificates of the tests are of now
RULES = [rule(There("Image", yes=True))]
OTHER = [rule(There("Image", yes=False))]


class Node:
    """A node's programs, with a collector that answers what a test says."""

    def __init__(self, folder: Path, authority: Authority, now: datetime = NOW) -> None:
        self.folder = folder
        self.replies: list[Reply] = []
        self.asked: list[str] = []
        self.used: list[list[Rule]] = []
        self.why: list[str] = []
        self.programs = Programs(
            self,
            folder,
            Signatures(authority.pem().encode()),
            now=lambda: now,
            use=lambda rules: self.used.append(list(rules)),
            refuse=self._refuse,
            random=lambda: 0.5,
        )

    async def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = 30.0,
    ) -> Reply:
        del method, body, headers, seconds
        self.asked.append(path)
        return self.replies.pop(0)

    async def _refuse(self, why: str) -> None:
        self.why.append(why)

    async def told(self, *replies: Reply) -> None:
        self.replies = list(replies)
        while self.replies:
            await self.programs.ask()


def signed(authority: Authority, body: bytes) -> Reply:
    return Reply(200, encode(authority.signed_as("program", body)), date=NOW)


def program(authority: Authority, rules: Sequence[Rule], at: datetime = NOW) -> Reply:
    return signed(authority, encode_program(Program(made_at=at, rules=list(rules))))


async def test_a_program_is_used_and_asked_for_by_its_digest(tmp_path: Path, authority: Authority) -> None:
    node = Node(tmp_path, authority)
    await node.told(program(authority, RULES), Reply(304, b""))

    assert node.used == [RULES]
    assert node.asked == ["/v1/program?have=", f"/v1/program?have={digest(RULES)}"]


async def test_it_is_held_over_a_restart_however_long_the_collector_was_away(
    tmp_path: Path, authority: Authority
) -> None:
    await Node(tmp_path, authority).told(program(authority, RULES))

    later = Node(tmp_path, authority, NOW + timedelta(days=400))
    await later.programs._recall()

    assert later.used == [RULES]


@pytest.mark.parametrize("damage", ["cut", "other authority", "purpose", "form", "deep"])
async def test_what_cannot_be_believed_is_told_once_and_changes_nothing(
    damage: str, tmp_path: Path, authority: Authority
) -> None:
    good = encode_program(Program(made_at=NOW, rules=OTHER))
    reply = {
        "cut": lambda: Reply(200, program(authority, OTHER).body[:-20], date=NOW),
        "other authority": lambda: signed(Authority(tmp_path), good),
        "purpose": lambda: Reply(200, encode(authority.signed_as("order", good)), date=NOW),
        "form": lambda: signed(authority, good.replace(b'"form":1', b'"form":9')),
        "deep": lambda: signed(authority, good.replace(b'{"op"', b'{"op":"not","of":{"op"' * 40)),
    }[damage]()
    node = Node(tmp_path, authority)
    await node.told(program(authority, RULES), reply, reply)

    assert node.used == [RULES]
    assert len(node.why) == 1
    assert node.programs.refused == 2
    assert node.programs.rules == len(RULES)


async def test_one_that_was_refused_is_over_when_the_collector_has_no_such_one_any_more(
    tmp_path: Path, authority: Authority
) -> None:
    node = Node(tmp_path, authority)
    malformed = signed(authority, b'{"form":1}')
    await node.told(program(authority, RULES), malformed, Reply(304, b""), malformed, Reply(304, b""))

    assert [bool(why) for why in node.why] == [True, False, True, False]
    assert node.used == [RULES]


async def test_an_older_program_does_not_take_turns_with_a_newer_one(
    tmp_path: Path, authority: Authority
) -> None:
    node = Node(tmp_path, authority)
    await node.told(program(authority, RULES), program(authority, OTHER, NOW - timedelta(minutes=1)))

    assert node.used == [RULES]


async def test_where_there_are_no_rules_any_more_they_are_let_go(
    tmp_path: Path, authority: Authority
) -> None:
    node = Node(tmp_path, authority)
    await node.told(program(authority, RULES), Reply(204, b""), Reply(204, b""))
    again = Node(tmp_path, authority)
    await again.programs._recall()

    assert node.used == [RULES, []]
    assert again.used == []


async def test_a_disk_that_keeps_and_forgets_nothing_ends_no_agent(
    tmp_path: Path, authority: Authority
) -> None:
    (tmp_path / "program.json").mkdir()
    node = Node(tmp_path, authority)
    await node.told(program(authority, RULES), Reply(204, b""))

    assert node.used == [RULES, []]


async def test_another_answer_is_no_program(tmp_path: Path, authority: Authority) -> None:
    with pytest.raises(UnreachableError, match="status 503"):
        await Node(tmp_path, authority).told(Reply(503, b""))


async def test_a_kept_program_that_was_changed_on_disk_is_not_used(
    tmp_path: Path, authority: Authority
) -> None:
    await Node(tmp_path, authority).told(program(authority, RULES))
    file = tmp_path / "program.json"
    kept = msgspec.json.decode(file.read_bytes())
    body = encode_program(Program(made_at=NOW, rules=[rule(And([There("x", yes=True)]))]))
    file.write_bytes(msgspec.json.encode({**kept, "body": body}))

    node = Node(tmp_path, authority)
    await node.programs._recall()

    assert node.used == []
    assert "does not fit" in node.why[0]
