"""An effect happens once because its key can stand once."""

from collector.store.schema import metadata


def test_every_effect_has_a_key_that_makes_it_happen_once() -> None:
    unique = {
        table.name
        for table in metadata.tables.values()
        if any(column.name == "key" and column.unique for column in table.c)
    }

    assert unique == {"notices", "filings", "received_filings", "orders"}
