"""A web root's tampering as one thing that begins, grows and ends: pure rules, no files.

    accepted    A                        A
    seen        A  B ............ B  C   A
    drift       .  {index: since 1}      {}
    reports        begins 1        grows   restored

An *episode* runs from the first difference from the accepted content to the last one's end. All its reports
bear one key, so that whoever receives them sees one incident. While a page differs, the fact is the time
since when (`homepage_tampered_since`); when it is what it was, the fact is how long it lasted
(`homepage_tampered_minutes`, begun minutes count: the law's thresholds are "more than").
"""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec
from msgspec import Struct

from ..port import moment
from .hiddenlinks import Link

CLASS, LINK_CLASS = "NAWEBMOD", "NALINK"
MAX_EVIDENCE = 50


class Side(Struct, frozen=True):
    """A file's content on one side of a change."""

    sha256: str
    size: int


class Change(Struct, frozen=True, kw_only=True):
    """How one path differs from the accepted content.

    Fields:
        since: The change's own time: the inode's, or when it was noticed where the file is gone.
        old, new: The content; None where there was, or is, no file.
        owner: The user the file belongs to now; None where it is gone.
        diff: The lines that differ, for short texts.
        links: The hidden links that came with it.
        process: Who had the file open for writing when it was noticed, where that could be seen.
    """

    path: str
    change: Literal["modified", "created", "deleted"]
    home_page: bool
    since: datetime
    last_seen: datetime
    old: Side | None
    new: Side | None
    owner: dict[str, Any] | None = None
    mode: str | None = None
    diff: str | None = None
    links: list[Link] = []
    process: dict[str, Any] | None = None

    @property
    def content(self) -> str | None:
        """What the path holds now."""
        return self.new.sha256 if self.new else None


class Span(Struct, frozen=True):
    """When pages of one sort began to differ, and since when none does (None: some still do)."""

    since: datetime
    until: datetime | None = None


class Beyond(Struct, frozen=True):
    """Paths that differ besides those of the drift: too many to be named, but counted, and since when."""

    count: int = 0
    since: datetime | None = None


class Episode(Struct, frozen=True):
    """One tampering, from its first difference to its last."""

    first_seen: datetime
    last_seen: datetime
    count: int = 0
    home: Span | None = None
    page: Span | None = None
    beyond: Beyond = Beyond()


def merge(told: Mapping[str, Change], seen: Mapping[str, Change | None]) -> dict[str, Change]:
    """Return the drift after a look: `seen` holds every path looked at, None where it is as accepted.

    A path that goes on differing keeps the time since when.
    """
    drift = dict(told)
    for path, change in seen.items():
        before = drift.get(path)
        if change is None:
            drift.pop(path, None)
        elif before is None:
            drift[path] = change
        elif before.content != change.content or before.change != change.change:
            drift[path] = msgspec.structs.replace(change, since=min(before.since, change.since))
    return drift


def proceed(
    episode: Episode | None,
    told: Mapping[str, Change],
    drift: Mapping[str, Change],
    now: datetime,
    beyond: Beyond | None = None,
) -> Episode | None:
    """Return the episode after the drift changed from `told`; None where nothing differs and nothing did.

    `beyond` is what a look at everything counted besides; None leaves it as it was.
    """
    before = episode.beyond if episode else Beyond()
    beyond = before if beyond is None else beyond
    since = [change.since for change in drift.values()] + ([beyond.since] if beyond.since else [])
    if episode is None:
        if not since:
            return None
        episode = Episode(first_seen=min(since), last_seen=now)
    # A path that moved from the counted to the named is none that changed.
    fresh = sum(told.get(path) != change for path, change in drift.items()) + beyond.count - before.count
    pages = [change.since for change in drift.values() if not change.home_page]
    return Episode(
        first_seen=min([episode.first_seen, *since]),
        last_seen=now,
        count=episode.count + max(0, fresh),
        home=_span(episode.home, [change.since for change in drift.values() if change.home_page], now),
        page=_span(episode.page, pages + ([beyond.since] if beyond.since else []), now),
        beyond=beyond,
    )


def _span(before: Span | None, since: list[datetime], now: datetime) -> Span | None:
    if since:
        return Span(min([*since, before.since] if before else since))
    if before and before.until is None:
        return Span(before.since, now)
    return before


def _facts(episode: Episode) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    for name, span in (("homepage_tampered", episode.home), ("page_tampered", episode.page)):
        if span and span.until:
            facts[f"{name}_minutes"] = max(1, math.ceil((span.until - span.since).total_seconds() / 60))
        elif span:
            facts[f"{name}_since"] = moment(span.since)
    return facts


def body(root: str, episode: Episode, drift: Mapping[str, Change]) -> dict[str, Any]:
    """Return an incident's body; the newest changes are its evidence, home pages first."""
    newest = sorted(drift.values(), key=lambda one: (one.home_page, one.last_seen), reverse=True)
    return {
        "key": f"files:{root}",
        "class": CLASS,
        "severity_hint": "high" if episode.home else "medium",
        "facts": _facts(episode),
        "source_address": None,
        "target_address": None,
        "target": root,
        "count": episode.count,
        "first_seen": moment(episode.first_seen),
        "last_seen": moment(episode.last_seen),
        "restored": not drift and not episode.beyond.count,
        "evidence": [msgspec.to_builtins(one) for one in newest[:MAX_EVIDENCE]],
        "evidence_total": len(drift) + episode.beyond.count,
    }


def linked(drift: Mapping[str, Change]) -> list[tuple[str, str]]:
    """Return path and address of every hidden link of a drift."""
    return sorted((path, link.url) for path, change in drift.items() for link in change.links)


def link_body(root: str, drift: Mapping[str, Change], first_seen: datetime, now: datetime) -> dict[str, Any]:
    """Return the body on the hidden links of a root: an incident of its own, for its handling is another."""
    found = [(change, link) for change in drift.values() for link in change.links]
    return {
        "key": f"files:links:{root}",
        "class": LINK_CLASS,
        "severity_hint": "high" if any(change.home_page for change, _ in found) else "medium",
        "facts": {},
        "source_address": None,
        "target_address": None,
        "target": root,
        "count": len(found),
        "first_seen": moment(first_seen),
        "last_seen": moment(now),
        "restored": not found,
        "evidence": [
            {"path": change.path, "since": moment(change.since), "process": change.process}
            | msgspec.structs.asdict(link)
            for change, link in found[:MAX_EVIDENCE]
        ],
        "evidence_total": len(found),
    }
