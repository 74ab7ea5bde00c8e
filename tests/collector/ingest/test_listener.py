"""What an agent meets at the collector's door."""

import asyncio
import ssl
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from aiohttp import ClientConnectionError, ClientSession, TCPConnector
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.store import nodes as rows
from collector.trust.ca import Authority
from tests.collector.ingest.tower import Identity, Tower, batch, client_context, request_certificate
from wire import codec

PROBLEM = "application/problem+json"


async def test_an_enrolled_agent_is_acknowledged_what_the_log_holds(tower: Tower) -> None:
    agent = await tower.enrol()
    async with tower.session(agent) as session, session.post("/v1/batches", data=batch(1, 3)) as answer:
        assert answer.status == 200
        said = await answer.json()

    assert (said["epoch"], said["highest"], said["highest_id"]) == ("e", 3, "r3")
    [entry] = await tower.log.read(0, 10, 10_000)
    assert (entry.node, entry.body) == (agent.node, batch(1, 3))
    assert (tower.tally.batches, tower.tally.reports, tower.tally.commits) == (1, 3, 1)


async def test_a_compressed_batch_is_kept_as_it_came(tower: Tower) -> None:
    agent = await tower.enrol()
    body, encoding = codec.pack(batch(1, 100))
    assert encoding == codec.ZSTD
    async with (
        tower.session(agent) as session,
        session.post("/v1/batches", data=body, headers={"Content-Encoding": encoding}) as answer,
    ):
        assert answer.status == 200

    [entry] = await tower.log.read(0, 10, 10_000)
    assert entry.stored == body
    assert entry.body == batch(1, 100)


async def test_a_batch_sent_again_is_acknowledged_again(tower: Tower) -> None:
    agent = await tower.enrol()
    async with tower.session(agent) as session:
        for _ in range(2):
            async with session.post("/v1/batches", data=batch(1, 3)) as answer:
                assert (answer.status, (await answer.json())["highest"]) == (200, 3)
    assert (tower.tally.batches, tower.tally.repeats) == (1, 1)


@pytest.mark.parametrize(("body", "reason"), [(batch(5, 6), "gap"), (batch(3, 4, "clone"), "fork")])
async def test_a_gap_and_a_clone_are_told_what_is_held(tower: Tower, body: bytes, reason: str) -> None:
    agent = await tower.enrol()
    async with tower.session(agent) as session:
        async with session.post("/v1/batches", data=batch(1, 3)):
            pass
        async with session.post("/v1/batches", data=body) as answer:
            said = await answer.json()
            assert answer.status == 409
    assert (said["reason"], said["highest"], said["highest_id"]) == (reason, 3, "r3")
    assert tower.tally.refused[reason] == 1


BAD_BATCHES = {
    "version": (batch(1, 1).replace(b'"version":1', b'"version":2'), "", 426, "version"),
    "no json": (b"{", "", 400, "malformed"),
    "empty": (b"", "", 400, "malformed"),
    "wrong kind": (batch(1, 1).replace(b"heartbeat", b"poem"), "", 400, "malformed"),
    "not ascending": (batch(1, 2).replace(b'"seq":2', b'"seq":1'), "", 400, "malformed"),
    "NUL": (batch(1, 1).replace(b'"epoch":"e"', b'"epoch":"\\u0000"'), "", 400, "malformed"),
    "truncated zstd": (codec.pack(batch(1, 100))[0][:-9], "zstd", 400, "malformed"),
    "unknown encoding": (batch(1, 1), "br", 415, "encoding"),
    "too large": (bytes(codec.MAX_PACKED + 1), "", 413, "oversize"),
    "too large unpacked": (codec.pack(bytes(codec.MAX_PLAIN + 1))[0], "zstd", 413, "oversize"),
}


@pytest.mark.parametrize("name", BAD_BATCHES)
async def test_a_bad_batch_is_answered_by_what_is_wrong_with_it(tower: Tower, name: str) -> None:
    body, encoding, status, reason = BAD_BATCHES[name]
    agent = await tower.enrol()
    headers = {"Content-Encoding": encoding} if encoding else {}
    async with (
        tower.session(agent) as session,
        session.post("/v1/batches", data=BytesIO(body), headers=headers) as answer,
    ):
        assert (answer.status, answer.content_type) == (status, PROBLEM)
        problem = await answer.json()
    assert problem["type"].endswith(f":{reason}")
    assert problem["status"] == status
    assert problem["detail"]
    assert tower.tally.refused[reason] == 1
    assert await tower.log.read(0, 10, 10_000) == []


async def test_without_a_certificate_only_enrolment_is_open(tower: Tower) -> None:
    async with tower.session() as session:
        for method, path in (("POST", "/v1/batches"), ("GET", "/v1/orders"), ("POST", "/v1/filings")):
            async with session.request(method, path, data=b"{}" if method == "POST" else None) as answer:
                assert (answer.status, answer.content_type) == (403, PROBLEM)
    assert tower.tally.refused["certificate"] == 3


async def test_another_authoritys_certificate_ends_in_the_handshake(tower: Tower, tmp_path: Path) -> None:
    (tmp_path / "foreign").mkdir()
    foreign = Authority.at(tmp_path / "foreign", "foreign", tower.now)
    key, csr = request_certificate()
    issued = foreign.sign_node(csr, "intruder", tower.now)
    context = client_context(tower.authority.trusted, issued.pem, key, tmp_path)

    async with ClientSession(tower.url, connector=TCPConnector(ssl=context)) as session:
        with pytest.raises((ClientConnectionError, ssl.SSLError)):
            await session.post("/v1/batches", data=batch(1, 1))
    assert tower.tally.batches == 0


async def test_older_tls_is_not_spoken(tower: Tower) -> None:
    context = client_context(tower.authority.trusted, "", b"", tower.folder)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    async with ClientSession(tower.url, connector=TCPConnector(ssl=context)) as session:
        with pytest.raises(ClientConnectionError):
            await session.post("/v1/batches", data=batch(1, 1))


async def test_a_revoked_node_is_refused_even_on_a_connection_it_has(tower: Tower) -> None:
    agent = await tower.enrol()
    async with tower.session(agent) as session:
        async with session.post("/v1/batches", data=batch(1, 1)) as answer:
            assert answer.status == 200
        await tower.store.run(lambda connection: rows.revoke_node(connection, agent.node, tower.now))
        tower.standings.forget(agent.node)
        async with session.post("/v1/batches", data=batch(2, 2)) as answer:
            assert (answer.status, (await answer.json())["type"]) == (403, "urn:fengsui:problem:revoked")
    assert tower.tally.refused["revoked"] == 1


async def test_a_node_of_ours_that_was_never_enrolled_here_is_refused(tower: Tower) -> None:
    """A restored database may have forgotten a node whose certificate is still good."""
    key, csr = request_certificate()
    issued = tower.authority.sign_node(csr, "forgotten", tower.now)
    identity = Identity("forgotten", "city", key, issued.pem, tower.authority.trusted)
    async with tower.session(identity) as session, session.post("/v1/batches", data=batch(1, 1)) as answer:
        assert answer.status == 403
    assert tower.tally.refused["identity"] == 1


async def test_what_is_no_route_gets_a_problem(tower: Tower) -> None:
    agent = await tower.enrol()
    async with tower.session(agent) as session:
        async with session.get("/v2/batches") as answer:
            assert (answer.status, answer.content_type) == (404, PROBLEM)
        async with session.get("/v1/batches") as answer:
            assert (answer.status, answer.content_type) == (405, PROBLEM)
        async with session.get("/v1/orders?wait=soon") as answer:
            assert (answer.status, answer.content_type) == (400, PROBLEM)


async def test_a_body_without_length_is_refused(tower: Tower) -> None:
    async def chunks() -> object:
        yield batch(1, 1)

    agent = await tower.enrol()
    async with tower.session(agent) as session, session.post("/v1/batches", data=chunks()) as answer:
        assert (answer.status, answer.content_type) == (411, PROBLEM)


async def test_a_full_disk_is_answered_507_and_the_batch_goes_in_later(tower: Tower) -> None:
    agent = await tower.enrol()
    db = tower.log._writing.db
    db.execute(f"PRAGMA max_page_count = {db.execute('PRAGMA page_count').fetchone()[0]}")
    async with tower.session(agent) as session:
        async with session.post("/v1/batches", data=batch(1, 100)) as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (507, "30")
        db.execute("PRAGMA max_page_count = 100000")
        async with session.post("/v1/batches", data=batch(1, 100)) as answer:
            assert answer.status == 200
    assert tower.tally.refused["full"] == 1
    assert tower.tally.reports == 100


async def test_what_one_node_may_have_in_work_is_bounded(tower: Tower) -> None:
    agent = await tower.enrol()

    async def poll(session: ClientSession) -> tuple[int, str]:
        async with session.get("/v1/orders?wait=1") as answer:
            return answer.status, answer.headers.get("Retry-After", "")

    async with tower.session(agent) as session:
        answers = await asyncio.gather(*(poll(session) for _ in range(6)))
    assert sorted(answers) == [(200, "")] * 4 + [(429, "2")] * 2


async def test_a_certificate_is_renewed_by_showing_the_old_one(tower: Tower) -> None:
    agent = await tower.enrol()
    _, csr = request_certificate()
    tower.now += timedelta(days=1)
    body = codec.encode({"version": 1, "token": "", "csr": csr, "host_name": "web-1"})
    async with tower.session(agent) as session, session.post("/v1/enrol", data=body) as answer:
        assert answer.status == 200
        said = await answer.json()
    assert said["node"] == agent.node
    assert said["certificate"] != agent.certificate


async def test_a_stranger_keeps_no_node_from_its_renewal_and_no_other_host_from_enrolling(
    tower: Tower,
) -> None:
    """Bodies that never come, as many as it may have: whoever shows a certificate has room of its own."""
    agent = await tower.enrol()
    context = client_context(tower.authority.trusted, "", b"", tower.folder)
    head = b"POST /v1/enrol HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n{"
    lines = [await asyncio.open_connection("localhost", tower.port, ssl=context) for _ in range(80)]
    for _, writer in lines:
        writer.write(head)
        await writer.drain()
    async with asyncio.timeout(10):
        while not tower.tally.refused["too_many"]:  # noqa: ASYNC110 - a plain counter of the product
            await asyncio.sleep(0.01)

    _, csr = request_certificate()
    asked = {"version": 1, "token": "", "csr": csr, "host_name": "web-1"}
    async with (
        tower.session(agent) as session,
        session.post("/v1/enrol", data=codec.encode(asked)) as answer,
    ):
        assert answer.status == 200, await answer.text()
    asked["token"] = await tower.token()
    elsewhere = TCPConnector(ssl=context, local_addr=("127.0.0.2", 0))
    async with (
        ClientSession(tower.url, connector=elsewhere) as session,
        session.post("/v1/enrol", data=codec.encode(asked)) as answer,
    ):
        assert answer.status == 201, await answer.text()
    for _, writer in lines:
        writer.close()


async def test_a_request_for_a_certificate_that_is_none_by_its_size_is_refused_unread(tower: Tower) -> None:
    async with tower.session() as session, session.post("/v1/enrol", data=bytes(100_000)) as answer:
        assert answer.status == 413
    assert tower.tally.refused["oversize"] == 1


@given(data=st.data())
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
async def test_no_request_makes_a_fault(tower: Tower, data: st.DataObject) -> None:
    """Damaged batches, on every route, are refused as what they are: never a 500, never a stored batch."""
    whole = batch(1, 2)
    await asyncio.sleep(0)
    damaged = data.draw(
        st.lists(
            st.one_of(
                st.binary(max_size=200),
                st.builds(
                    lambda at, put: whole[:at] + put + whole[at + len(put) :],
                    st.integers(0, len(whole)),
                    st.binary(min_size=1, max_size=4),
                ),
            ),
            min_size=20,
            max_size=20,
        )
    )
    agent = await tower.enrol()
    async with tower.session(agent) as session:
        for path in ("/v1/batches", "/v1/outcomes", "/v1/filings", "/v1/enrol"):
            for encoding in ("identity", "zstd"):
                for body in damaged:
                    headers = {"Content-Encoding": encoding}
                    async with session.post(path, data=body, headers=headers) as answer:
                        assert answer.status in {200, 204, 400, 403, 409, 413, 415, 426}, await answer.text()


@pytest.mark.parametrize(
    "bytes_sent",
    [
        b"GET / SMTP/1.0\r\n\r\n",
        b"\x00" * 100,
        b"POST /v1/batches HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/batches HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"POST /v1/batches HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
        b"POST /v1/batches HTTP/1.1\r\nHost: a\r\n" + b"A: " + b"b" * 9000 + b"\r\n\r\n",
        b"POST /v1/batches HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n",
    ],
)
async def test_what_is_not_http_gets_a_problem(tower: Tower, bytes_sent: bytes) -> None:
    agent = await tower.enrol()
    context = agent.context(tower.folder)
    reader, writer = await asyncio.open_connection("localhost", tower.port, ssl=context)
    writer.write(bytes_sent)
    answer = await asyncio.wait_for(reader.read(), 5)
    head, _, _ = answer.partition(b"\r\n\r\n")
    assert head.split(b" ")[1] in {b"400", b"413"}, answer
    assert PROBLEM.encode() in head
    writer.close()


async def test_a_sender_that_breaks_off_leaves_nothing_behind(tower: Tower) -> None:
    agent = await tower.enrol()
    _, writer = await asyncio.open_connection("localhost", tower.port, ssl=agent.context(tower.folder))
    writer.write(b"POST /v1/batches HTTP/1.1\r\nHost: a\r\nContent-Length: 500\r\n\r\n{")
    await writer.drain()
    writer.close()
    async with asyncio.timeout(5):
        while tower.tally.connections:  # noqa: ASYNC110 - a plain counter of the product
            await asyncio.sleep(0)
    assert await tower.log.read(0, 10, 1000) == []


async def test_more_connections_than_there_is_room_for_are_cut(tower: Tower) -> None:
    agent = await tower.enrol()
    tower.listener._most = tower.tally.connections + 1
    context = agent.context(tower.folder)
    kept = await asyncio.open_connection("localhost", tower.port, ssl=context)
    reader, writer = await asyncio.open_connection("localhost", tower.port, ssl=context)
    assert await asyncio.wait_for(reader.read(), 5) == b""
    assert tower.tally.refused["connections"] == 1
    for end in (kept[1], writer):
        end.close()
