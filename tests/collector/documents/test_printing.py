"""From an incident's id to a document."""

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
import pytest

from collector.documents import Printer, Renderer
from collector.documents.printing import NoDocumentError, choose
from collector.store.clocks import clocks_of
from tests.collector.documents.conftest import NINE, clock

if TYPE_CHECKING:
    from collector.store.engine import Store
    from tests.conftest import Office


def test_the_document_is_about_the_report_due_first_unless_another_is_named() -> None:
    late, soon = clock(id="late"), clock(id="soon", due_at=NINE + timedelta(hours=1))
    whenever = clock(id="whenever", due_at=None)

    assert choose([late, whenever, soon], None) == soon
    assert choose([late, whenever, soon], "whenever") == whenever
    with pytest.raises(NoDocumentError):
        choose([clock(state="withdrawn")], None)


async def test_a_document_is_named_after_incident_and_report(sqlite_state: "Store", office: "Office") -> None:
    async with sqlite_state.write() as conn:
        key = await office.casework.open(conn, office.finding(NINE), NINE, NINE)
        owed = {one.stage: one.id for one in await clocks_of(conn, [key])}
    printer = Printer(sqlite_state, office.documents, Renderer(str))
    name, media, body = await printer.make(key, "ocsf", clock=owed["report"], language="zh", now=NINE)
    later = NINE + timedelta(hours=3)

    assert name == f"{key}-cn-informatization-report.ocsf.json"
    assert media == "application/json"
    assert msgspec.json.decode(body)["finding_info_list"][0]["uid"] == key
    assert (await printer.make(key, "ocsf", clock=owed["report"], language="zh", now=later))[2] == body


async def test_of_nothing_there_is_no_document(sqlite_state: "Store", office: "Office") -> None:
    printer = Printer(sqlite_state, office.documents, Renderer(str))
    for kind in ("ocsf", "odt"):
        with pytest.raises(NoDocumentError):
            await printer.make("nowhere", kind, clock=None, language="zh", now=NINE)
