"""What runs on this host and should not: shells on connections, programs without a file, miners.

One pass over /proc a round feeds all three (`proctable.py`); what they look for is pure and stands in
`shells.py`, `unnamed.py` and `miners.py`. A process that lives shorter than a round is not seen here: what a
reverse shell or a miner is for takes longer.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta, Struct

from ...bounded import Seconds
from ...budget import Budget
from ..ranges import INTERNAL, Ranges
from ..rounds.matters import Finding
from ..rounds.patrol import Patrol, Round
from .miners import Miner, miners
from .proctable import Process, Table
from .shells import Shell, remote_shells
from .unnamed import Unnamed, programs, unnamed

_SHOWN = 300
# What follows such a word on a command line is nobody's business, not even the authority's.
_SECRET = re.compile(
    r"""((?:pass(?:word|wd)?|token|secret|api[_-]?key|auth)\w*["']?\s*[=: ]\s*)[^\s,]+""", re.IGNORECASE
)


class ProcessesSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of the processes source.

    Fields:
        servers: Programs that may give a process a connection that came in as its standard input.
        allowed_memory: Names (patterns) of programs that may run from memory, as container runtimes do.
        miner_share: Of a core, from which a process counts as busy.
        allow: Paths (patterns) of programs that are never told.
    """

    enabled: bool = True
    poll: Seconds = 15.0
    servers: tuple[str, ...] = ("inetd", "xinetd", "systemd", "tcpserver", "s6-tcpserver", "tcpsvd")
    allowed_memory: tuple[str, ...] = ("runc_cloned:*", "runc_dmz*", "crun*")
    miner_share: Annotated[float, Meta(gt=0, le=64)] = 0.5
    allow: tuple[str, ...] = ()
    budget: Budget = Budget(cpu_seconds=6.0)


class Away(Struct, frozen=True):
    """Since when which running program's file is away."""

    programs: dict[str, datetime] = {}


class Processes(Patrol[Away]):
    """The processes source."""

    name = "processes"
    notes_kind = Away

    def __init__(
        self,
        settings: ProcessesSettings | None = None,
        *,
        internal_ranges: tuple[str, ...] = INTERNAL,
        state: Path | None,
        root: Path = Path("/"),
    ) -> None:
        self._settings = settings or ProcessesSettings()
        self._outside = Ranges(internal_ranges).outside
        self._proc = root / "proc"
        self._spent: dict[tuple[int, float], float] = {}
        self._looked_at: datetime | None = None
        super().__init__(poll=self._settings.poll, budget=self._settings.budget, state=state)

    def look(self, now: datetime, notes: Away, *, alone: bool) -> Round:
        """Pass over the process table once."""
        table = Table(self._proc)
        shares = _lifetime(table, now) if alone else self._shares(table, now)
        without_file, away = unnamed(table, self._settings.allowed_memory, notes.programs, now)
        findings = [
            *_of_shells(table, remote_shells(table, frozenset(self._settings.servers)), now),
            *_of_unnamed(table, without_file, now),
            *_of_miners(table, miners(table, shares, self._settings.miner_share, self._outside), now),
        ]
        unreadable: tuple[tuple[str, str], ...] = ()
        if table.hidden:
            why = "another user's processes are readable for root only (CAP_SYS_PTRACE)"
            unreadable = ((f"program of {table.hidden} processes", why),) if alone else ()
        return Round(
            findings=tuple(one for one in findings if not self._is_allowed(one.target or "")),
            unreadable=unreadable,
            notes=Away(away) if away != notes.programs else None,
        )

    def _is_allowed(self, program: str) -> bool:
        return any(fnmatchcase(program, pattern) for pattern in self._settings.allow)

    def _shares(self, table: Table, now: datetime) -> dict[int, float]:
        """Return every process's share of a core since the last look."""
        spent = {(one.pid, one.started): one.cpu_seconds for one in table.processes.values()}
        before, self._spent = self._spent, spent
        seconds = (now - self._looked_at).total_seconds() if self._looked_at else 0.0
        self._looked_at = now
        if seconds <= 0:
            return {}
        return {key[0]: (cpu - before[key]) / seconds for key, cpu in spent.items() if key in before}


def _lifetime(table: Table, now: datetime) -> dict[int, float]:
    """Return every process's share of a core since it was started: the best that one look can know."""
    return {
        one.pid: one.cpu_seconds / lived
        for one in table.processes.values()
        if one.cpu_seconds > 1 and (lived := (now - table.begun(one, now)).total_seconds()) > 1
    }


def _of_shells(table: Table, shells: Iterable[Shell], now: datetime) -> Iterator[Finding]:
    by_address: dict[str, list[Shell]] = {}
    for shell in shells:
        by_address.setdefault(shell.connection.remote_address, []).append(shell)
    for address, found in by_address.items():
        yield Finding(
            key=f"processes:shell:{address}",
            klass="NABACKDOOR",
            severity_hint="high",
            target=found[0].process.program,
            source_address=address,
            target_address=found[0].connection.local_address,
            count=len(found),
            first_seen=min(table.begun(one.process, now) for one in found),
            evidence=[
                _shown(table, one.process) | {"why": one.how} | one.connection._asdict() for one in found
            ],
        )


def _of_unnamed(table: Table, found: list[Unnamed], now: datetime) -> Iterator[Finding]:
    for program, those in programs(found):
        yield Finding(
            key=f"processes:unnamed:{program}"[:_SHOWN],
            klass="NAHACKED" if those[0].severity == "high" else "ABOTH",
            severity_hint=those[0].severity,
            target=program[:_SHOWN],
            count=len(those),
            first_seen=min(table.begun(one.process, now) for one in those),
            evidence=[_shown(table, one.process) | {"why": one.why} for one in those],
        )


def _of_miners(table: Table, found: Iterable[Miner], now: datetime) -> Iterator[Finding]:
    by_program: dict[str, list[Miner]] = {}
    for miner in found:
        by_program.setdefault(miner.process.program or miner.process.name, []).append(miner)
    for program, those in by_program.items():
        pool = next((one.connection for one in those if one.connection), None)
        yield Finding(
            key=f"processes:miner:{program}"[:_SHOWN],
            klass="MPMINER",
            severity_hint="high" if pool else "medium",
            target=program[:_SHOWN],
            target_address=pool.remote_address if pool else None,
            count=len(those),
            first_seen=min(table.begun(one.process, now) for one in those),
            evidence=[
                _shown(table, one.process)
                | {"why": ", ".join(one.signs)}
                | (one.connection._asdict() if one.connection else {})
                for one in those
            ],
        )


def _shown(table: Table, process: Process) -> dict[str, Any]:
    """Return a process as evidence."""
    parent = table.processes.get(process.parent)
    return {
        "pid": process.pid,
        "name": process.name,
        "program": process.program[:_SHOWN],
        "arguments": _SECRET.sub(r"\1***", table.arguments(process.pid))[:_SHOWN],
        "uid": table.uid(process.pid),
        "parent": f"{parent.pid} {parent.base}"[:_SHOWN] if parent else str(process.parent),
    }
