"""How a node's connections stand."""

from datetime import UTC, datetime

from collector.ingest.links import Link, Links

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)


def test_the_last_of_several_connections_counts_and_who_ended_it() -> None:
    links = Links()
    links.opened("n")
    links.opened("n")

    links.closed("n", by_peer=True, at=NOON)
    first = links.of("n")
    links.closed("n", by_peer=True, at=NOON)

    assert (first, links.of("n")) == (Link(1), Link(0, NOON))


def test_what_we_ended_ourselves_says_nothing_and_a_new_connection_forgets_the_end() -> None:
    links = Links()
    links.opened("n")
    links.closed("n", by_peer=False, at=NOON)
    assert links.of("n") == Link()

    links.opened("n")
    links.closed("n", by_peer=True, at=NOON)
    links.opened("n")

    assert links.of("n") == Link(1)


def test_strangers_are_not_kept() -> None:
    links = Links()
    links.opened("")
    links.closed("", by_peer=True, at=NOON)

    assert links.of("") == Link()
