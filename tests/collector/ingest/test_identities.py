"""Two hosts with one key: both get a fresh one, people get one alert, and both go on reporting."""

from datetime import UTC, datetime, timedelta

from collector.store import nodes as rows
from tests.collector.ingest.tower import Identity, Tower, batch, request_certificate
from wire.codec import encode
from wire.messages import VERSION, EnrolmentRequest

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)


async def post(tower: Tower, bearer: Identity, body: bytes) -> tuple[int, str]:
    async with tower.session(bearer) as session, session.post("/v1/batches", data=body) as answer:
        said = await answer.json(content_type=None)
        return answer.status, said.get("reason") or str(said.get("type", "")).rpartition(":")[2]


async def rekey(tower: Tower, bearer: Identity, host: str) -> Identity:
    key, csr = request_certificate()
    asked = EnrolmentRequest(version=VERSION, token="", csr=csr, host_name=host)
    async with tower.session(bearer) as session, session.post("/v1/enrol", data=encode(asked)) as answer:
        assert answer.status == 200, await answer.text()
        said = await answer.json()
    return Identity(said["node"], said["unit"], key, said["certificate"], said["authorities"])


async def test_both_bearers_of_a_cloned_key_get_a_fresh_one_and_there_is_one_alert(tower: Tower) -> None:
    one = await tower.enrol()
    assert await post(tower, one, batch(1, 2, "r")) == (200, "")

    assert await post(tower, one, batch(1, 3, "x")) == (409, "fork")
    held = [await post(tower, one, batch(3, 3, "r")), await post(tower, one, batch(1, 3, "x"))]
    first, second = await rekey(tower, one, "web-1"), await rekey(tower, one, "web-1-copy")

    assert held == [(403, "rekey"), (403, "rekey")]
    assert tower.alerts == [one.node]
    assert first.node == one.node
    assert second.node != one.node
    assert (first.unit, second.unit) == ("city", "city")
    assert (await post(tower, first, batch(3, 3, "r")))[0] == 200
    assert (await post(tower, second, batch(1, 3, "x")))[0] == 200
    assert (await post(tower, one, batch(4, 4, "r")))[1] == "rekey"


async def test_a_renewal_of_the_fresh_certificate_keeps_its_node(tower: Tower) -> None:
    one = await tower.enrol()
    await post(tower, one, batch(1, 2, "r"))
    await post(tower, one, batch(1, 3, "x"))
    first = await rekey(tower, one, "web-1")

    again = await rekey(tower, first, "web-1")

    assert again.node == one.node
    tower.standings.forget(one.node)
    assert (await post(tower, again, batch(3, 3, "r")))[0] == 200


async def test_a_rebuilt_host_takes_the_place_of_what_it_was_without_a_person(tower: Tower) -> None:
    old = await tower.enrol()
    tower.now += timedelta(minutes=5)

    new = await tower.enrol()

    async with tower.store.read() as conn:
        was, is_now = await rows.node(conn, old.node), await rows.node(conn, new.node)
    assert was is not None
    assert is_now is not None
    assert (was.state, is_now.state) == ("replaced", "active")
    assert (await post(tower, old, batch(1, 1, "r")))[0] == 200  # a namesake after all: nothing of it is lost


async def test_a_namesake_that_is_alive_is_not_replaced(tower: Tower) -> None:
    old = await tower.enrol()

    await tower.enrol()

    async with tower.store.read() as conn:
        was = await rows.node(conn, old.node)
    assert was is not None
    assert was.state == "active"
