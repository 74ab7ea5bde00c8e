"""Reads journald by a `journalctl` child: no library to build, and a cursor for every entry."""

import asyncio
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

MAX_ENTRY = 65536
_FIELDS = "MESSAGE,SYSLOG_IDENTIFIER,_COMM,_UID"
# The facilities auth and authpriv (syslog(3)); two values of one field are "or".
_MATCHES = ("SYSLOG_FACILITY=4", "SYSLOG_FACILITY=10")
_STOP_SECONDS = 5


def arguments(
    command: Sequence[str], cursor: str, since: float, *, follow: bool, matches: Sequence[str] = _MATCHES
) -> list[str]:
    """Return the child's argv: what came after the cursor, or where there is none since a time.

    `matches` are journalctl's own; none: every entry.

    >>> arguments(["journalctl"], "s=1;i=2", 0.0, follow=True)[-4:]
    ['--no-tail', '--after-cursor=s=1;i=2', 'SYSLOG_FACILITY=4', 'SYSLOG_FACILITY=10']
    """
    place = f"--after-cursor={cursor}" if cursor else f"--since=@{int(since)}"
    follows = ["--follow", "--no-tail"] if follow else []
    return [
        *command,
        "--output=json",
        f"--output-fields={_FIELDS}",
        "--no-pager",
        "--quiet",
        *follows,
        place,
        *matches,
    ]


def newest(command: Sequence[str]) -> list[str]:
    """Return the argv that prints the newest login record: where to begin.

    journalctl (252 seen) takes the first match after a cursor for the cursor's own entry and skips it,
    so that a cursor has to be of an entry that matches.
    """
    fields = "--output-fields=MESSAGE"
    return [*command, "--output=json", fields, "--no-pager", "--quiet", "--lines=1", *_MATCHES]


@asynccontextmanager
async def running(argv: list[str]) -> AsyncIterator[Process]:
    """Run the child; it is ended with the block.

    Raises:
        OSError: there is no such command.
    """
    child = await asyncio.create_subprocess_exec(
        *argv, stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL, limit=MAX_ENTRY
    )
    try:
        yield child
    finally:
        await _end(child)


async def _end(child: Process) -> None:
    """Wait for a child that has closed its output; tell any other to go, and make it go."""
    # A signal to a child that is just ending would reap it behind asyncio's back.
    if child.stdout is None or not child.stdout.at_eof():
        with suppress(ProcessLookupError):
            child.terminate()
    try:
        async with asyncio.timeout(_STOP_SECONDS):
            await child.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            child.kill()
        await child.wait()


async def next_line(child: Process) -> bytes:
    """Return the child's next line without its end; cancelling the wait loses nothing.

    Raises:
        EOFError: the child ended.
        ValueError: an entry over the limit; it is skipped.
    """
    output = child.stdout
    if output is None:
        raise EOFError("the child was started without a pipe")
    try:
        line = await output.readuntil(b"\n")
    except asyncio.IncompleteReadError as end:
        raise EOFError("journalctl ended") from end
    except asyncio.LimitOverrunError as error:
        await _skip(output, error.consumed)
        raise ValueError(f"journal entry of more than {MAX_ENTRY} bytes skipped") from None
    return line[:-1]


async def _skip(output: asyncio.StreamReader, consumed: int) -> None:
    """Read on to the end of an entry that is too long."""
    while True:
        try:
            await output.readexactly(max(consumed, 1))
            await output.readuntil(b"\n")
        except asyncio.LimitOverrunError as error:
            consumed = error.consumed
        except asyncio.IncompleteReadError:
            return
        else:
            return
