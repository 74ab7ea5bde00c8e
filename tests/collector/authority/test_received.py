import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
import pytest
import sqlalchemy as sa

from collector.authority import ForeignFilingError, receive
from collector.store import schema
from collector.store.engine import Store
from collector.store.nodes import Standing
from wire.messages import VERSION, Filing, Receipt

if TYPE_CHECKING:
    from tests.conftest import Office

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
COUNTY = Standing("n1", "county", "collector", "active")
FILING = Filing(
    version=VERSION,
    key="k",
    incident_id="i",
    unit="county",
    obligation="cn-informatization/report",
    recipient="informatization_authority",
    level="III",
    filed_at=NOON,
    due_at=None,
    complete=True,
    incident={},
    content={},
)


async def take(
    state: Store, office: "Office", filing: Filing = FILING, peer: Standing = COUNTY, at: datetime = NOON
) -> Receipt:
    async with state.write() as conn:
        raw = msgspec.json.encode(filing)
        return await receive(conn, peer, filing, raw, registry=office.registry, issuer="city", now=at)


async def test_the_receipt_names_number_time_hash_and_issuer(state: Store, office: "Office") -> None:
    receipt = await take(state, office)

    assert receipt.sha256 == hashlib.sha256(msgspec.json.encode(FILING)).hexdigest()
    assert (receipt.key, receipt.received_at, receipt.issuer) == ("k", NOON, "city")


async def test_a_resend_gets_the_first_receipt_and_is_stored_once(state: Store, office: "Office") -> None:
    first = await take(state, office)
    again = await take(state, office, at=NOON + timedelta(hours=1))

    assert again == first
    async with state.read() as conn:
        assert len((await conn.execute(sa.select(schema.received_filings))).all()) == 1


async def test_a_collector_that_joined_anew_gets_its_receipt_again(state: Store, office: "Office") -> None:
    first = await take(state, office)

    assert await take(state, office, peer=Standing("n2", "county", "collector", "active")) == first


async def test_nobody_files_for_a_unit_that_is_not_below_them(state: Store, office: "Office") -> None:
    with pytest.raises(ForeignFilingError, match="unit county, which is not below"):
        await take(state, office, peer=Standing("n2", "power", "collector", "active"))


async def test_nobody_gets_the_receipt_of_anothers_key(state: Store, office: "Office") -> None:
    await take(state, office)
    other = msgspec.structs.replace(FILING, unit="power")

    with pytest.raises(ForeignFilingError, match="another collector's"):
        await take(state, office, other, Standing("n2", "power", "collector", "active"))


async def test_a_unit_only_the_collector_below_knows_may_be_filed_for(state: Store, office: "Office") -> None:
    village = msgspec.structs.replace(FILING, unit="village-7")

    assert (await take(state, office, village)).number >= 1
