from datetime import UTC, datetime, timedelta

import pytest

from agent.sources.pages.tampering import MAX_EVIDENCE, Beyond, Change, Episode, Side, body, merge, proceed

T = datetime(2026, 3, 2, 1, 10, tzinfo=UTC)
OLD = Side("a" * 64, 10)


def change(path: str, content: str, at: datetime, *, home: bool = False) -> Change:
    return Change(
        path=path,
        change="modified",
        home_page=home,
        since=at,
        last_seen=at,
        old=OLD,
        new=Side(content * 64, 11),
    )


def after(minutes: float) -> datetime:
    return T + timedelta(minutes=minutes)


def step(
    told: dict[str, Change], episode: Episode | None, seen: dict[str, Change | None], now: datetime
) -> tuple[dict[str, Change], Episode | None]:
    drift = merge(told, seen)
    return drift, proceed(episode, told, drift, now)


def test_a_tampered_home_page_is_a_fact_with_the_time_since_when() -> None:
    drift, episode = step({}, None, {"index.html": change("index.html", "b", T, home=True)}, after(1))

    assert episode is not None
    told = body("/var/www", episode, drift)
    assert told["key"] == "files:/var/www"
    assert told["class"] == "NAWEBMOD"
    assert told["facts"] == {"homepage_tampered_since": "2026-03-02T01:10:00Z"}
    assert (told["first_seen"], told["count"], told["restored"]) == ("2026-03-02T01:10:00Z", 1, False)


def test_a_page_tampered_twice_keeps_the_time_since_when_it_differs() -> None:
    first = change("news.html", "b", T)
    drift, episode = step({}, None, {"news.html": first}, T)
    drift, episode = step(drift, episode, {"news.html": change("news.html", "c", after(5))}, after(5))

    assert episode is not None
    told = body("/var/www", episode, drift)
    assert told["facts"] == {"page_tampered_since": "2026-03-02T01:10:00Z"}
    assert (told["count"], told["last_seen"]) == (2, "2026-03-02T01:15:00Z")


def test_restored_content_ends_it_and_the_fact_is_how_long_it_lasted() -> None:
    drift, episode = step({}, None, {"index.html": change("index.html", "b", T, home=True)}, T)
    drift, episode = step(drift, episode, {"index.html": None}, after(30.5))

    assert episode is not None
    told = body("/var/www", episode, drift)
    assert told["restored"] is True
    assert told["facts"] == {"homepage_tampered_minutes": 31}
    assert told["evidence"] == []


def test_a_restored_home_page_beside_a_page_still_tampered_is_told_as_both() -> None:
    seen: dict[str, Change | None] = {
        "index.html": change("index.html", "b", T, home=True),
        "news.html": change("news.html", "b", after(1)),
    }
    drift, episode = step({}, None, seen, after(1))
    drift, episode = step(drift, episode, {"index.html": None}, after(10))

    assert episode is not None
    told = body("/var/www", episode, drift)
    assert told["facts"] == {
        "homepage_tampered_minutes": 10,
        "page_tampered_since": "2026-03-02T01:11:00Z",
    }
    assert told["restored"] is False


def test_a_home_page_tampered_again_counts_from_the_first_time_in_one_episode() -> None:
    drift, episode = step({}, None, {"x.html": change("x.html", "b", T)}, T)
    drift, episode = step(drift, episode, {"index.html": change("index.html", "b", T, home=True)}, T)
    drift, episode = step(drift, episode, {"index.html": None}, after(5))
    again = change("index.html", "c", after(9), home=True)
    drift, episode = step(drift, episode, {"index.html": again}, after(9))

    assert episode is not None
    assert body("/var/www", episode, drift)["facts"]["homepage_tampered_since"] == "2026-03-02T01:10:00Z"


def test_nothing_that_differs_is_no_episode() -> None:
    assert step({}, None, {"index.html": None}, T) == ({}, None)


def test_a_deployment_of_thousands_of_files_is_one_incident_with_bounded_evidence() -> None:
    seen: dict[str, Change | None] = {f"{i}.html": change(f"{i}.html", "b", T) for i in range(5000)}
    seen["index.html"] = change("index.html", "b", T, home=True)
    drift, episode = step({}, None, seen, T)

    assert episode is not None
    told = body("/var/www", episode, drift)
    assert (told["count"], told["evidence_total"], len(told["evidence"])) == (5001, 5001, MAX_EVIDENCE)
    assert told["evidence"][0]["path"] == "index.html"


@pytest.mark.parametrize(("seconds", "minutes"), [(1, 1), (60, 1), (61, 2), (1800, 30), (1801, 31)])
def test_a_begun_minute_counts_as_one(seconds: int, minutes: int) -> None:
    drift, episode = step({}, None, {"index.html": change("index.html", "b", T, home=True)}, T)
    drift, episode = step(drift, episode, {"index.html": None}, T + timedelta(seconds=seconds))

    assert episode is not None
    assert body("/var/www", episode, drift)["facts"] == {"homepage_tampered_minutes": minutes}


def test_pages_beyond_those_named_are_counted_and_their_time_is_the_facts() -> None:
    named = {"a.html": change("a.html", "b", after(2))}
    episode = proceed(None, {}, named, after(5), Beyond(7, T))
    assert episode is not None
    told = body("/var/www", episode, named)

    assert (told["count"], told["evidence_total"], told["restored"]) == (8, 8, False)
    assert told["first_seen"] == told["facts"]["page_tampered_since"] == "2026-03-02T01:10:00Z"


def test_a_page_that_moves_from_the_counted_to_the_named_is_no_new_change() -> None:
    first = {"a.html": change("a.html", "b", T)}
    episode = proceed(None, {}, first, T, Beyond(7, T))
    then = {"b.html": change("b.html", "b", T)}
    later = proceed(episode, first, then, after(1), Beyond(6, T))

    assert later is not None
    assert later.count == 8
    assert body("/var/www", later, then)["evidence_total"] == 7


def test_it_is_over_only_when_no_page_beyond_the_named_differs() -> None:
    first = {"a.html": change("a.html", "b", T)}
    episode = proceed(None, {}, first, T, Beyond(1, T))
    half = proceed(episode, first, {}, after(1))
    whole = proceed(half, {}, {}, after(2), Beyond())
    assert half is not None
    assert whole is not None

    assert not body("/var/www", half, {})["restored"]
    assert body("/var/www", half, {})["facts"] == {"page_tampered_since": "2026-03-02T01:10:00Z"}
    assert body("/var/www", whole, {})["restored"]
    assert body("/var/www", whole, {})["facts"] == {"page_tampered_minutes": 2}
