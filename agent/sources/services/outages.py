"""Whether the services an operator names are there, checked from the node itself.

An outage begins with the first of several failed checks and ends with the first of several good ones
(`steadiness.py`). Of the portal the report carries `portal_down_since`, so that whoever grades sees it grow
graver by the hour, and at the end `portal_down_minutes`.
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from ...bounded import Seconds
from ...budget import Budget
from ..ranges import INTERNAL
from ..rounds.matters import Finding
from ..rounds.patrol import Patrol, Round
from . import probes
from .steadiness import Steadiness

CLASS = "DETECH"
_Name = Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9._-]{0,63}$")]
_Url = Annotated[str, Meta(pattern="^(https?://.+)?$")]
_Port = Annotated[str, Meta(pattern=r"^$|^(\[[0-9a-fA-F:]+\]|[^:\[\]]+):[0-9]{1,5}$")]


class Service(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A service to check: by exactly one of `url`, `port` and `unit`.

    Fields:
        host: The name asked of `url`, where that holds an address.
        contains: Text the page at `url` has to hold.
        portal: Whether its outage is an outage of the portal.
    """

    name: _Name
    url: _Url = ""
    port: _Port = ""
    unit: str = ""
    host: str = ""
    contains: str = ""
    portal: bool = False

    def __post_init__(self) -> None:
        """Hold that it is checked in one way.

        Raises:
            ValueError: none or several are given.
        """
        if len([one for one in (self.url, self.port, self.unit) if one]) != 1:
            raise ValueError("exactly one of url, port and unit")

    @property
    def target(self) -> str:
        """What is checked."""
        return self.url or self.port or self.unit


class OutagesSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of the outages source.

    Fields:
        services: What is checked; none: the source does not run.
        poll: Seconds between checks.
        timeout: Seconds one check may take.
        down_after, up_after: Checks in a row that count.
        systemctl: The command that knows units, as argv.
        budget: What it may cost.
    """

    services: tuple[Service, ...] = ()
    poll: Seconds = 20.0
    timeout: Annotated[float, Meta(gt=0, le=20)] = 5.0
    down_after: Annotated[int, Meta(ge=1)] = 3
    up_after: Annotated[int, Meta(ge=1)] = 2
    systemctl: tuple[str, ...] = ("systemctl",)
    budget: Budget = Budget(stuck_after=600.0)


class Known(Struct, frozen=True):
    """What is known of every service, by name."""

    services: dict[str, Steadiness] = {}


class Outages(Patrol[Known]):
    """The outages source."""

    name = "outages"
    notes_kind = Known

    def __init__(
        self,
        settings: OutagesSettings | None = None,
        *,
        internal_ranges: tuple[str, ...] = INTERNAL,
        state: Path | None,
    ) -> None:
        self._settings = settings or OutagesSettings()
        self._internal = internal_ranges
        super().__init__(poll=self._settings.poll, budget=self._settings.budget, state=state)

    def look(self, now: datetime, notes: Known, *, alone: bool) -> Round:
        """Check every service once."""
        services: dict[str, Steadiness] = {}
        findings: list[Finding] = []
        unreadable: list[tuple[str, str]] = []
        ended: dict[str, datetime] = {}
        for service in self._settings.services:
            before = notes.services.get(service.name, Steadiness())
            key = f"outages:{service.name}"
            try:
                why = self._ask(service)
            except OSError as error:
                unreadable.append((service.target, str(error)))
                services[service.name] = before
                continue
            down_after = 1 if alone else self._settings.down_after
            after = before.after(now, good=not why, down_after=down_after, up_after=self._settings.up_after)
            services[service.name] = after
            if after.down_since:
                findings.append(_finding(key, service, after.down_since, why))
            elif after.ended_at:
                ended[key] = after.ended_at
        blind = tuple(
            f"outages:{one.name}" for one in self._settings.services if (one.target in dict(unreadable))
        )
        return Round(
            findings=tuple(findings),
            unreadable=tuple(unreadable),
            blind=blind,
            ended=ended,
            notes=Known(services) if _is_news(notes.services, services) else None,
        )

    def _ask(self, service: Service) -> str:
        """Return why a service is not well, empty where it is.

        Raises:
            OSError: nobody can say.
        """
        if service.url:
            seconds, inside = self._settings.timeout, self._internal
            return probes.url(service.url, seconds, inside, host=service.host, contains=service.contains)
        if service.port:
            return probes.port(service.port, self._settings.timeout, self._internal)
        return probes.unit(service.unit, self._settings.systemctl, self._settings.timeout)


def _finding(key: str, service: Service, since: datetime, why: str) -> Finding:
    evidence = {"check": service.name, "target": service.target}
    return Finding(
        key=key,
        klass=CLASS,
        severity_hint="high" if service.portal else "medium",
        target=service.target,
        lasting="portal_down" if service.portal else "",
        first_seen=since,
        evidence=[evidence | {"why": why}] if why else [evidence | {"why": "up again, but not yet steadily"}],
    )


def _is_news(before: Mapping[str, Steadiness], after: Mapping[str, Steadiness]) -> bool:
    """Say whether to write it down: a service that is well needs no line a check."""
    return any(
        (one.fails, one.down_since, one.ended_at) != (old.fails, old.down_since, old.ended_at)
        or one.down_since is not None
        for name, one in after.items()
        for old in [before.get(name, Steadiness())]
    )
