from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from collector.casework.dossier import Dossier
from collector.casework.firing import fire
from collector.casework.lapsing import taken_on
from collector.casework.waking import CHAIN, PROGRESS, Setting
from collector.escalation import read_policy

NINE = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
POLICY = """
id: default
chains: {default: [{to: duty, after: 0s}, {to: leader, after: 10m}, {to: superior, after: 25m}]}
progress: {default: 1h}
"""


@pytest.fixture
def watchful(setting: Setting) -> Setting:
    return replace(setting, policy=read_policy(POLICY, "own.yaml"))


def acknowledged(dossier: Dossier, setting: Setting, at: datetime) -> None:
    fire(dossier, setting, at)
    dossier.change(state="acknowledged", acknowledged_by="person:wang")
    taken_on(dossier, setting, at)


def armed(dossier: Dossier) -> list[tuple[str, datetime]]:
    return [
        (alarm.kind, alarm.at) for alarm in dossier.armed.values() if alarm.kind.startswith((CHAIN, PROGRESS))
    ]


def woken(dossier: Dossier) -> list[str | None]:
    return [notice.person for notice in dossier.notices if notice.payload["kind"].startswith(CHAIN)]


def test_whoever_takes_it_on_ends_the_chain_and_is_watched(
    opened: Callable[..., Dossier], watchful: Setting
) -> None:
    dossier = opened()
    acknowledged(dossier, watchful, NINE)

    assert armed(dossier) == [("progress_1", NINE + 60 * MINUTE)]


def test_without_progress_the_chain_goes_on_where_it_stood(
    opened: Callable[..., Dossier], watchful: Setting
) -> None:
    dossier = opened()
    acknowledged(dossier, watchful, NINE)
    fire(dossier, watchful, NINE + 60 * MINUTE)

    assert (dossier.incident.state, dossier.incident.acknowledged_by) == ("open", None)
    assert woken(dossier) == ["wang", "zhao"]
    assert armed(dossier) == [("escalate_2", NINE + 75 * MINUTE)]
    (notice,) = [
        notice for notice in dossier.notices if notice.person == "zhao" and "/escalate_1/" in notice.key
    ]
    assert "no progress within 60 minutes" in notice.payload["body"]
    moved = next(entry for entry in dossier.entries if entry.action == "incident.moved")
    assert (moved.detail["from"], moved.detail["to"]) == ("acknowledged", "open")


def test_progress_moves_the_moment(opened: Callable[..., Dossier], watchful: Setting) -> None:
    dossier = opened()
    acknowledged(dossier, watchful, NINE)
    dossier.progress_at = NINE + 40 * MINUTE
    fire(dossier, watchful, NINE + 60 * MINUTE)

    assert dossier.incident.state == "acknowledged"
    assert armed(dossier) == [("progress_1", NINE + 100 * MINUTE)]


def test_a_chain_that_had_run_to_its_end_begins_anew(
    opened: Callable[..., Dossier], watchful: Setting
) -> None:
    dossier = opened()
    for minute in (0, 10, 25):
        fire(dossier, watchful, NINE + minute * MINUTE)
    acknowledged(dossier, watchful, NINE + 30 * MINUTE)
    fire(dossier, watchful, NINE + 90 * MINUTE)

    assert woken(dossier) == ["wang", "zhao", "li", "wang"]
    assert armed(dossier) == [("escalate_1", NINE + 100 * MINUTE)]


def test_a_place_that_a_shorter_chain_no_longer_has_begins_it_anew(
    opened: Callable[..., Dossier], watchful: Setting
) -> None:
    dossier = opened()
    fire(dossier, watchful, NINE)
    acknowledged(dossier, watchful, NINE + 10 * MINUTE)
    short = read_policy(
        POLICY.replace(", {to: leader, after: 10m}, {to: superior, after: 25m}", ""), "s.yaml"
    )
    fire(dossier, replace(watchful, policy=short), NINE + 70 * MINUTE)

    assert woken(dossier) == ["wang", "zhao", "wang"]


@pytest.mark.parametrize("state", ["contained", "handled", "open"])
def test_what_is_no_longer_merely_acknowledged_does_not_lapse(
    opened: Callable[..., Dossier], watchful: Setting, state: str
) -> None:
    dossier = opened()
    acknowledged(dossier, watchful, NINE)
    dossier.change(state=state)
    fire(dossier, watchful, NINE + 60 * MINUTE)

    assert (dossier.incident.state, woken(dossier)) == (state, ["wang"])


def test_without_a_time_in_the_policy_an_acknowledgement_holds(
    opened: Callable[..., Dossier], setting: Setting, watchful: Setting
) -> None:
    dossier = opened()
    acknowledged(
        dossier,
        replace(setting, policy=replace(watchful.policy, progress=type(watchful.policy.progress)())),
        NINE,
    )

    assert armed(dossier) == []


def test_a_level_that_rises_in_the_moment_of_lapsing_wakes_once(
    opened: Callable[..., Dossier], watchful: Setting
) -> None:
    dossier = opened()
    acknowledged(dossier, watchful, NINE)
    late = NINE + 61 * MINUTE
    dossier.arm(clock="", generation=9, kind=f"{CHAIN}_0", at=late, now=NINE)
    fire(dossier, watchful, late)

    assert woken(dossier) == ["wang", "zhao"]
