"""What a heartbeat of a collector below is judged to say."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from collector.duty.below import SILENT, UNREACHED, Trouble, Unknown, lines_of, trouble_of, unreached_of
from collector.store.nodes import Below

NINE = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def saying(said: dict[str, Any] | None) -> Below:
    return Below(id="n", unit="county", host_name="h", enrolled_at=NINE, heard_at=NINE, said=said)


@pytest.mark.parametrize("age", [None, "much", True, [], 3])
def test_an_age_that_cannot_be_read_is_no_trouble(age: Any) -> None:  # noqa: ANN401 - JSON
    node = saying({"auditor_age_seconds": age})

    assert trouble_of(node, NINE, NINE + SECOND) is None


@pytest.mark.parametrize(
    ("said", "judged"),
    [
        ({"unreached_seconds": 301}, Trouble("unreached", NINE - 301 * SECOND)),
        ({"unreached_seconds": 300}, None),
        ({"unreached_seconds": None}, None),
        ({"unreached_seconds": None, "oldest_notice_seconds": 9000}, None),  # others were reached
        ({"oldest_notice_seconds": 301}, Trouble("unreached", NINE - 301 * SECOND)),  # an older collector
        ({"oldest_notice_seconds": "long"}, None),
        ({"unreached_seconds": None, "clocks_overdue": None}, Unknown()),  # its database was away
        (None, Unknown()),
    ],
)
def test_people_are_unreachable_by_what_its_own_notices_came_to(
    said: dict[str, Any] | None, judged: Trouble | Unknown | None
) -> None:
    assert unreached_of(saying(said), NINE, NINE + SECOND) == judged


def test_what_was_said_long_ago_says_nothing_of_now() -> None:
    node = saying({"unreached_seconds": 400})

    assert unreached_of(node, NINE, NINE + SILENT) == Trouble("unreached", NINE - 400 * SECOND)
    assert unreached_of(node, NINE, NINE + SILENT + SECOND) == Unknown()


def test_a_limit_of_half_an_hour_leaves_time_to_telephone() -> None:
    assert timedelta(minutes=30) / 4 >= UNREACHED


@pytest.mark.parametrize("overdue", [None, True, "3"])
def test_what_nobody_told_is_not_said(overdue: object) -> None:
    assert lines_of({"clocks_overdue": overdue}, Trouble("unreached", NINE)) == "2026-03-02 01:00:00+00:00"
