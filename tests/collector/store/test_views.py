import pytest
import sqlalchemy as sa
from msgspec import Struct

from collector.store import schema, views


@pytest.mark.parametrize(
    ("table", "row"),
    [
        (schema.nodes, views.NodeRow),
        (schema.node_facts, views.FactRow),
        (schema.exits, views.ExitRow),
        (schema.incidents, views.IncidentFile),
        (schema.clocks, views.ObligationRow),
        (schema.filings, views.FilingFile),
        (schema.received_filings, views.ReceivedFile),
        (schema.runs, views.RunPlan),
        (schema.run_steps, views.StepRow),
        (schema.notices, views.NoticeRow),
        (schema.journal, views.AuditRow),
    ],
)
def test_a_view_shows_columns_under_their_names_and_no_secret(table: sa.Table, row: type[Struct]) -> None:
    shown = set(row.__struct_encode_fields__)

    assert shown <= set(table.columns.keys())
    assert not {"secret_sha256", "password_argon2", "certificate_serial", "fence", "owner"} & shown
