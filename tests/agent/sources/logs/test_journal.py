import asyncio
import doctest
import sys

import pytest

from agent.sources.logs import journal
from agent.sources.logs.journal import MAX_ENTRY, arguments, newest, next_line, running


def child(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_following_goes_on_after_the_cursor_and_reads_logins_only() -> None:
    argv = arguments(["journalctl"], "s=1;i=2", 1772413802.9, follow=True)

    assert "--after-cursor=s=1;i=2" in argv
    assert "--follow" in argv
    assert argv[-2:] == ["SYSLOG_FACILITY=4", "SYSLOG_FACILITY=10"]


def test_a_journal_that_had_no_entry_yet_is_followed_from_the_first_start_on() -> None:
    assert "--since=@1772413802" in arguments(["journalctl"], "", 1772413802.9, follow=True)


def test_where_to_begin_is_a_login_record_and_no_other_entry() -> None:
    assert newest(["journalctl"])[-2:] == ["SYSLOG_FACILITY=4", "SYSLOG_FACILITY=10"]


def test_looking_once_reads_back_to_a_time_and_does_not_follow() -> None:
    argv = arguments(["journalctl"], "", 1772413802.0, follow=False)

    assert "--since=@1772413802" in argv
    assert "--follow" not in argv


async def test_lines_are_given_one_by_one_to_the_childs_end() -> None:
    async with running(child("print('one'); print('two')")) as process:
        assert await next_line(process) == b"one"
        assert await next_line(process) == b"two"
        with pytest.raises(EOFError):
            await next_line(process)


async def test_an_entry_over_the_limit_is_skipped_and_the_next_is_read() -> None:
    code = f"print('x' * {MAX_ENTRY * 3}); print('after')"
    async with running(child(code)) as process:
        with pytest.raises(ValueError, match="skipped"):
            await next_line(process)
        assert await next_line(process) == b"after"


async def test_a_wait_that_is_given_up_loses_no_line() -> None:
    code = "import sys; print('half', end='', flush=True); sys.stdin.read(); print('whole')"
    async with running(child(code.replace("sys.stdin.read()", "__import__('time').sleep(0.3)"))) as process:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await next_line(process)
        assert await next_line(process) == b"halfwhole"


async def test_the_child_ends_with_its_block() -> None:
    async with running(child("import time; print('up', flush=True); time.sleep(60)")) as process:
        await next_line(process)

    assert process.returncode is not None


async def test_a_command_that_is_not_there_is_an_error_to_be_told() -> None:
    with pytest.raises(FileNotFoundError):
        async with running(["/nowhere/journalctl"]):
            pass


def test_the_examples_of_the_file_are_true() -> None:
    assert doctest.testmod(journal).failed == 0
