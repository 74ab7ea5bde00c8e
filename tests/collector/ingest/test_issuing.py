"""Tokens are stored as digests and told in the journal."""

from datetime import timedelta

from collector.ingest.issuing import issue_bearer, issue_enrolment
from collector.store import journal, nodes, users
from collector.trust.tokens import digest, read_token
from tests.collector.ingest.tower import Tower


async def test_an_issued_token_enrols_and_is_told_without_its_secret(tower: Tower) -> None:
    word = await issue_enrolment(
        tower.store,
        url=tower.url,
        authority=tower.authority.der,
        unit="city",
        kind="agent",
        life=timedelta(hours=1),
        uses=2,
        now=tower.now,
    )
    token = read_token(word)
    async with tower.store.read() as connection:
        row = await nodes.find_token(connection, digest(token.secret), tower.now)
        [entry] = [entry async for entry in journal.read_chains(connection)]
    assert row is not None
    assert (row.unit, row.uses_left) == ("city", 2)
    assert (entry.action, entry.subject) == ("token.created", f"token:{row.id}")
    assert token.secret not in str(entry.detail)


async def test_a_bearer_is_stored_with_its_role(tower: Tower) -> None:
    bearer = await issue_bearer(tower.store, "metrics", tower.now)
    async with tower.store.read() as connection:
        found = await users.api_token(connection, digest(bearer))
        [entry] = [entry async for entry in journal.read_chains(connection)]
    assert found is not None
    assert found.role == "metrics"
    assert entry.detail == {"api": "metrics"}
