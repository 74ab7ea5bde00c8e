"""How this node reaches the internet: links and their kind, routes, rules, resolvers, proxies, forwarding.

    kernel: a link, address, route, rule or forwarding switch changes
       | netlink event            quiet for 20 ms, at most 100 ms after the first
       v
    dump all tables -> body -> differs from the last one told? -> emit
       ^
       | every `poll` seconds (what no event tells), every `period` the full picture

An event is only a reason to look. When the kernel drops events because nobody read them in time, the dump
that follows shows the truth all the same; the states in between are gone, and a `gap` says so. A flood of
events (a link that flaps) first spends what the budget has to spare, then looks are spaced so that it is
never overdrawn: whoever could make this source rest could use the rest.
"""

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from msgspec import Struct, structs

from ...bounded import Seconds
from ...budget import Budget, RefusedError
from ...netlink import nat, rtnetlink, wireless
from ...netlink.message import NetlinkError
from ...tasks import Tasks
from ..port import Clock, Emit, Observation, Reading, Unreadable
from ..ranges import Ranges
from ..rounds.runs import Paid, Runs
from . import mailways, surroundings
from .exchanges import MailSettings, Resolvers, exchanges
from .homes import Homes
from .reach import ReachSettings, Way, candidates, reached, traced
from .routing import hops, in_use, routing
from .wakings import Wakings, wakings
from .webmail import Webmail

_QUIET, _AT_MOST = 0.02, 0.1
_LARGE = 10_000


class ExitsSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of the exits source.

    Fields:
        enabled: Whether it runs.
        poll: Seconds between looks that no event asked for.
        period: Seconds after which the full picture is told again.
        reach: The opt-in check that a way leads out (`reach.py`).
        mail: The opt-in question where letters to the unit's domains go (`exchanges.py`).
        budget: What it may cost; its rest is short, because a way out may open meanwhile.
    """

    enabled: bool = True
    poll: Seconds = 30.0
    period: Seconds = 3600.0
    reach: ReachSettings = ReachSettings()
    mail: MailSettings = MailSettings()
    budget: Budget = Budget(cpu_seconds=6.0, cool_down=15.0)


class Exits(Paid):
    """The exits source."""

    name = "exits"

    def __init__(
        self,
        settings: ExitsSettings | None = None,
        *,
        ranges: Ranges | None = None,
        root: Path = Path("/"),
        environment: Mapping[str, str] | None = None,
        look: Callable[[], rtnetlink.Tables] = rtnetlink.look,
        unchecked: str = "off",
        unasked: str = "off",
        webmail: Webmail | None = None,
    ) -> None:
        """Take what it works with.

        `unchecked` says why no active check is made, `unasked` why no mail exchange is looked up;
        empty: it is.
        """
        self._settings = settings or ExitsSettings()
        self._ranges = ranges or Ranges()
        self._root = root
        self._environment = os.environ if environment is None else environment
        self._look = look
        self._runs = Runs(self.name, self._settings.budget)
        self._used: list[dict[str, Any]] | None = None
        self._used_at = 0.0
        self._unchecked = unchecked
        self._unasked = unasked
        self._homes = Homes(self._root)
        self._webmail = webmail or Webmail()
        self._proofs: dict[str, list[dict[str, Any]]] = {}
        self._ways: tuple[Way, ...] = ()
        self._fresh_ways = asyncio.Event()
        self._hops: dict[tuple[int, str], str] = {}
        self._tables: rtnetlink.Tables | None = None

    @property
    def checks(self) -> bool:
        """Whether it ever asks anybody."""
        return not self._unchecked

    async def once(self, now: datetime) -> Reading:
        """Look once."""
        self._tables = None
        try:
            body, unreadable = await self._runs.look(self._picture)
        except (RefusedError, NetlinkError, OSError) as error:
            return Reading(unreadable=(Unreadable(self.name, "routing tables", str(error)),))
        if self.checks:
            body |= await self._check(candidates(body))
        elif self._settings.reach.enabled:
            unreadable.append(Unreadable(self.name, "active check", self._unchecked))
        if not self._unasked:
            body |= await self._exchanges()
        elif self._settings.mail.domains:
            unreadable.append(Unreadable(self.name, "mail exchanges", self._unasked))
        return Reading((Observation("exits", self.name, now, body),), tuple(unreadable))

    async def _check(self, ways: tuple[Way, ...]) -> dict[str, list[dict[str, Any]]]:
        settings = self._settings.reach
        return {"reached": await reached(settings, ways), "traces": await traced(settings, ways)}

    async def _exchanges(self) -> dict[str, list[dict[str, Any]]]:
        settings = self._settings.mail
        with suppress(OSError):
            known = await asyncio.to_thread(surroundings.resolvers, self._root)
            resolvers = Resolvers([one["address"] for one in known], settings.timeout)
            return {"mail_domains": await exchanges(settings.domains, resolvers.ask)}
        return {}

    async def _asking(self, heard: Wakings) -> None:
        """Ask where letters go, every so often; wake the watch with what it gave."""
        while True:
            self._proofs |= await self._exchanges()
            heard.changed.set()
            await asyncio.sleep(self._settings.mail.every)

    async def _checking(self, heard: Wakings) -> None:
        """Check when there is another way out, and every so often; wake the watch with what it gave."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._settings.reach.every):
                    await self._fresh_ways.wait()
            self._fresh_ways.clear()
            self._proofs |= await self._check(self._ways)
            heard.changed.set()

    async def watch(self, emit: Emit, clock: Clock) -> None:
        """Look at every event, every `poll` seconds, and tell what differs."""
        with wakings(asyncio.get_running_loop(), self._root) as heard:
            with suppress(RefusedError):
                await self._runs.look(heard.listen_at_homes)
            self._webmail.tell = heard.changed.set
            for what, why in heard.deaf.items():
                self._runs.note_gap(f"changes of {what} are not heard, only looked for: {why}")
            if self._settings.reach.enabled and not self.checks:
                self._runs.note_gap(f"active check is not made: {self._unchecked}")
            if self._settings.mail.domains and self._unasked:
                self._runs.note_gap(f"mail exchanges are not looked up: {self._unasked}")
            if not self.checks and self._unasked:
                await self._watch(heard, emit, clock)
                return
            async with Tasks() as tasks:
                if self.checks:
                    tasks.spawn("reach", self._checking(heard))
                if not self._unasked:
                    tasks.spawn("exchanges", self._asking(heard))
                await self._watch(heard, emit, clock)

    async def _watch(self, heard: Wakings, emit: Emit, clock: Clock) -> None:
        loop = asyncio.get_running_loop()
        told: dict[str, Any] = {}
        told_at = 0.0
        overflows = 0
        while True:
            if heard.overflows > overflows:
                overflows = heard.overflows
                self._runs.note_span("kernel dropped routing events; the states in between are not known")
            due = loop.time() - told_at >= self._settings.period
            if heard.moved() or due or (self._tables and len(self._tables.routes) < _LARGE):
                self._tables = None
            body = await self._try_picture(clock)
            heard.know(self._hops)
            if body and (due or _essence(body) != _essence(told)):
                observation = Observation("exits", self.name, clock(), body)
                self._runs.pay(observation)
                await emit(observation)
                told, told_at = body, loop.time()
            await self._runs.tell(emit, "exits", clock())
            await asyncio.sleep(self._runs.resting)
            await self._space(heard)
            await self._wait(heard)

    async def _try_picture(self, clock: Clock) -> dict[str, Any] | None:
        try:
            body, unreadable = await self._runs.look(self._picture)
        except RefusedError:
            return None
        except (NetlinkError, OSError) as error:
            self._runs.note_trouble(f"routing tables could not be read: {error}")
            return None
        if self._tables and self._tables.torn:
            self._runs.note_span(
                "tables changed whenever they were read; what is told may hold rows that are gone"
            )
        for one in unreadable:
            self._runs.note_seldom(f"{one.what}: {one.why}")
        if self.checks:
            ways = candidates(body)
            if ways != self._ways:
                self._ways = ways
                self._fresh_ways.set()
        return (
            body
            | self._proofs
            | {
                "webmail": self._webmail.rows(clock()),
                "webmail_unread": self._webmail.unread,
            }
        )

    async def _space(self, heard: Wakings) -> None:
        """Wait as long as a flood of events has to, and say that it does."""
        spacing = min(self._runs.spacing, self._settings.poll)
        if spacing > _QUIET:
            await asyncio.sleep(spacing)
            if heard.changed.is_set():
                self._runs.note_span(
                    "events come so fast that looks are spaced; what was open between two looks is not known"
                )

    async def _wait(self, heard: Wakings) -> None:
        """Wait for an event and for the burst it begins to end, or for the poll."""
        changed = heard.changed
        try:
            async with asyncio.timeout(self._settings.poll):
                await changed.wait()
        except TimeoutError:
            return
        until = asyncio.get_running_loop().time() + _AT_MOST
        while changed.is_set() and asyncio.get_running_loop().time() < until:
            changed.clear()
            await asyncio.sleep(_QUIET)
        changed.clear()

    def _picture(self) -> tuple[dict[str, Any], list[Unreadable]]:
        tables = self._tables or self._look()
        self._tables = tables
        self._hops = hops(tables)
        unreadable: list[Unreadable] = []

        def attempt(what: str, read: Callable[[], Any], otherwise: object) -> Any:  # noqa: ANN401 - JSON values
            try:
                return read()
            except (OSError, NetlinkError) as error:
                unreadable.append(Unreadable(self.name, what, str(error)))
                return otherwise

        body = {
            **routing(tables, self._root, attempt("wireless networks", wireless.ssids, {})),
            "resolvers": attempt("resolvers", lambda: surroundings.resolvers(self._root), []),
            "proxies": attempt(
                "proxies",
                lambda: surroundings.proxies(self._root, self._environment, self._homes.proxies()),
                [],
            ),
            "forwarding": {
                **surroundings.forwarding(self._root),
                "translations": attempt("address translation", self._translations, []),
            },
            "mail": attempt("mail", lambda: mailways.relays(self._root), []),
            "evidence": attempt("connections", lambda: self._in_use(tables), []),
        }
        if closed := self._homes.closed:
            unreadable.append(
                Unreadable(self.name, f"proxies in {closed} homes", "no right to look into them")
            )
        return body, unreadable

    def _translations(self) -> list[dict[str, str]]:
        return [structs.asdict(row) for row in nat.translations(self._root)]

    def _in_use(self, tables: rtnetlink.Tables) -> list[dict[str, Any]]:
        """Return the evidence of use, read once a poll: the table is too large to read at every event."""
        at = time.monotonic()
        if self._used is None or at - self._used_at >= self._settings.poll:
            self._used, self._used_at = in_use(tables, self._ranges), at
        return self._used


def _essence(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what counts as a change: of the evidence only which links are in use, of webmail which names."""
    used = sorted({(row["interface"], row["local_address"]) for row in body.get("evidence", ())})
    named = [(row["name"], row["addresses"], row["greeted"]) for row in body.get("webmail", ())]
    return {**body, "evidence": used, "traces": None, "webmail": named, "webmail_unread": None}
