"""An entry of the event log."""

from datetime import UTC, datetime

from collector.eventlog.port import Entry
from wire import codec

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
PLAIN = b'{"reports": [' + b'"the same again",' * 200 + b'""]}'


def entry(stored: bytes) -> Entry:
    return Entry(
        position=1,
        node="n",
        epoch="e",
        floor=0,
        last=1,
        count=1,
        received_at=datetime(2026, 3, 2, tzinfo=UTC),
        stored=stored,
    )


def test_an_entry_gives_the_batch_as_json_however_it_was_sent() -> None:
    packed, encoding = codec.pack(PLAIN)

    assert encoding == codec.ZSTD
    assert entry(packed).body == PLAIN
    assert entry(PLAIN).body == PLAIN
