"""Which rows name which others: looked at after a restore, for no database here enforces it."""

from collections.abc import AsyncIterator

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from . import schema

REFERENCES: tuple[tuple[sa.Column[str], sa.Column[str]], ...] = (
    (schema.node_facts.c.node, schema.nodes.c.id),
    (schema.exits.c.node, schema.nodes.c.id),
    (schema.orders.c.node, schema.nodes.c.id),
    (schema.clocks.c.incident, schema.incidents.c.id),
    (schema.alarms.c.incident, schema.incidents.c.id),
    (schema.alarms.c.clock, schema.clocks.c.id),
    (schema.acknowledgements.c.incident, schema.incidents.c.id),
    (schema.notices.c.incident, schema.incidents.c.id),
    (schema.filings.c.incident, schema.incidents.c.id),
    (schema.filings.c.clock, schema.clocks.c.id),
    (schema.drafts.c.clock, schema.clocks.c.id),
    (schema.attachments.c.incident, schema.incidents.c.id),
    (schema.runs.c.incident, schema.incidents.c.id),
    (schema.run_steps.c.run, schema.runs.c.id),
    (schema.evidence_chunks.c.pack, schema.evidence_packs.c.id),
    (schema.drill_events.c.drill, schema.drills.c.id),
    (schema.drill_incidents.c.drill, schema.drills.c.id),
    (schema.drill_incidents.c.incident, schema.incidents.c.id),
)


class Dangling(Struct, frozen=True):
    """Rows that name another which is not there: the column, how many, and one of the names."""

    column: str
    rows: int
    example: str


async def dangling(connection: AsyncConnection) -> AsyncIterator[Dangling]:
    """Yield what names a row that is not there; tables that an older schema lacks are passed by."""
    there = await connection.run_sync(lambda sync: set(sa.inspect(sync).get_table_names()))
    for column, named in REFERENCES:
        if {column.table.name, named.table.name} <= there:
            lost = (
                sa.select(sa.func.count(), sa.func.min(column))
                .outerjoin_from(column.table, named.table, column == named)
                .where(named.is_(None), column.is_not(None), column != "")
            )
            rows, example = (await connection.execute(lost)).one()
            if rows:
                yield Dangling(f"{column.table.name}.{column.name}", rows, example)
