from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agent.sources.host.accounts import Known
from agent.sources.host.privileges import Privileges, PrivilegesSettings

Watching = Callable[..., AbstractAsyncContextManager[Any]]
Eventually = Callable[[Callable[[], object]], Coroutine[Any, Any, None]]
NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    folder = tmp_path / "host/etc"
    (folder / "sudoers.d").mkdir(parents=True)
    (folder / "passwd").write_text("root:x:0:0::/root:/bin/bash\nli:x:1000:1000::/home/li:/bin/bash\n")
    (folder / "shadow").write_text("root:$6$a$b:1::::::\nli:$6$c$d:1::::::\n")
    (folder / "group").write_text("sudo:x:27:\n")
    (folder / "sudoers").write_text("root ALL=(ALL:ALL) ALL\n")
    return folder


def source(etc: Path, **settings: Any) -> Privileges:  # noqa: ANN401 - fields of the settings
    return Privileges(PrivilegesSettings(**settings), state=etc.parents[1], root=etc.parent)


async def test_a_rise_is_told_at_once_and_once(etc: Path, watching: Watching, eventually: Eventually) -> None:
    async with watching(source(etc, poll=60)) as heard:
        await eventually((etc.parents[1] / "privileges.json").exists)
        (etc / "group").write_text("sudo:x:27:li\n")
        told = await heard.until(lambda one: one.kind == "incident")

    assert told.body["class"] == "ROPABUSE"
    assert told.body["key"] == "privileges:power"
    assert told.body["target"] == "li"
    assert told.body["evidence"][0] | {"at": ""} == {
        "at": "",
        "change": "group_joined",
        "account": "li",
        "why": "is in group sudo",
    }


async def test_what_changed_while_the_agent_was_down_is_told_at_its_start(
    etc: Path, watching: Watching, eventually: Eventually
) -> None:
    async with watching(source(etc)):
        await eventually((etc.parents[1] / "privileges.json").exists)
    with (etc / "passwd").open("a") as file:
        file.write("toor:x:0:0::/root:/bin/bash\n")
    async with watching(source(etc)) as heard:
        told = await heard.until(lambda one: one.body.get("key") == "privileges:power")

    assert told.body["evidence"][0]["change"] == "uid_zero"


def test_the_first_look_knows_no_change(etc: Path) -> None:
    look = source(etc).look(NOON, Known(), alone=False)

    assert look.findings == ()
    assert source(etc).look(NOON, msgspec.convert(look.notes, Known), alone=True).findings == ()
    assert source(etc).look(NOON, Known(), alone=True).unreadable[0][0] == "baseline"


def test_a_new_account_is_unusual_and_no_abuse(etc: Path) -> None:
    known = msgspec.convert(source(etc).look(NOON, Known(), alone=False).notes, Known)
    with (etc / "passwd").open("a") as file:
        file.write("wang:x:1001:1001::/home/wang:/bin/bash\n")
    (finding,) = source(etc).look(NOON, known, alone=False).findings

    assert (finding.klass, finding.severity_hint) == ("ABACCESS", "low")


def test_a_shadow_that_can_not_be_read_changes_no_password(etc: Path) -> None:
    known = msgspec.convert(source(etc).look(NOON, Known(), alone=False).notes, Known)
    (etc / "shadow").unlink()
    look = source(etc).look(NOON, known, alone=False)

    assert look.findings == ()
    assert look.unreadable == (("/etc/shadow", "No such file or directory"),)
    assert look.notes is None


def test_a_file_of_rules_that_comes_is_told_with_its_rule(etc: Path) -> None:
    known = msgspec.convert(source(etc).look(NOON, Known(), alone=False).notes, Known)
    (etc / "sudoers.d/90-web").write_bytes(b"www-data ALL=(ALL) NOPASSWD: ALL\n\xff\n")
    (finding,) = source(etc).look(NOON, known, alone=False).findings

    assert finding.evidence[-1]["why"] == "/etc/sudoers.d/90-web: www-data ALL=(ALL) NOPASSWD: ALL"
