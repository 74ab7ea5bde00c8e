"""What a report says, as it is kept, sent and read again."""

from datetime import UTC, datetime

from collector.statement import Item, Ransom, Source, Statement, Words, Written, read_statement

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
OPEN = Item(number=1, heading=Words("一", "1"), may_follow=True, open=(Words("原因", "cause"),))


def statement(*items: Item) -> Statement:
    return Statement(
        obligation="cn-cac-2025/first",
        name=Words("首次报告", "First report"),
        law=Words("办法", "Measures"),
        source="Art. 7",
        verified=False,
        level="III",
        items=items,
        ransom=Ransom(amount="5 BTC"),
    )


def test_a_statement_comes_back_from_a_filing_as_it_went_in() -> None:
    sources = (Source(of="facts.views", by="node:n", report="r", journal=3, at=NOON),)
    said = statement(OPEN, Item(number=2, heading=Words("二", "2"), may_follow=False, sources=sources))

    assert read_statement(said.content() | {"added": {"经过": "…"}}) == said


def test_it_is_complete_when_nothing_is_open_and_a_persons_words_close_an_item() -> None:
    written = Written(text="弱口令", by="person:wang", at=NOON)
    closed = Item(number=1, heading=OPEN.heading, may_follow=True, open=OPEN.open, written=written)

    assert not statement(OPEN).complete
    assert statement(closed).complete
    assert closed.text("zh") == "弱口令"


def test_a_statement_without_items_says_nothing_and_is_not_complete() -> None:
    assert not statement().complete
