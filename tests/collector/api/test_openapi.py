from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from collector.api import ENDPOINTS
from collector.api.endpoint import Endpoint
from collector.authority.drilling import notice_of
from collector.store import schema
from collector.store.drafts import add_attachment
from collector.store.drills import add_drill, take_announced
from collector.store.evidence import keep_manifest
from collector.store.orders import add_order
from tests.browser.watch_room import Room, a_day, a_node, a_received, an_exit, mailed
from tests.collector.desk.test_answers import reply
from tests.collector.desk.test_drills import SCRIPT_HERE
from tests.collector.store.test_drills import a_drill
from tests.collector.store.test_evidence import manifest

PROOF = b"%PDF-1.7 confirmation"
Ask = Callable[..., Awaitable[tuple[int, Any]]]


async def test_the_document_is_valid_openapi_and_names_every_route(ask: Ask) -> None:
    _, document = await ask("/api/v1/openapi.json")

    validate(document)
    told = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert told == {(endpoint.method, endpoint.template) for endpoint in ENDPOINTS}
    assert {"Node", "NodeList", "Problem"} <= set(document["components"]["schemas"])


async def test_every_route_answers_what_the_document_says(room: Room, ask: Ask) -> None:
    values = await _lived_in(room)
    _, document = await ask("/api/v1/openapi.json")
    checked = set()
    for endpoint in ENDPOINTS:
        if endpoint.media != "application/json":
            checked.add(endpoint.name)  # a file; its own test looks into it
            continue
        query = "?clock={clock}".format(**values["getAnswer"]) if endpoint.name == "getAnswer" else ""
        path = endpoint.template.format(**values | values.get(endpoint.name, {})) + query
        body = {
            "moveIncident": {"to": "acknowledged"},
            "confirmIncident": {"level": "I"},
            "correctIncident": {"facts": {"major": True}, "reason": "looked again"},
            "completeStep": {"out": {"confirmed": True}},
            "startRun": {"plan": "major-event-guard", "unit": "district", "reason": "a congress"},
            "actOnRun": {"deed": "pause", "reason": "wait for the vendor"},
            "giveOrder": {"node": values["getNode"]["id"], "kind": "rescan"},
            "planDrill": {"unit": "district", "planned_at": room.clock().isoformat(), "script": SCRIPT_HERE},
            "actOnDrill": {"deed": "start"},
            "decideDrill": {"state": "accepted"},
            "writeReport": {"clock": values["getObligation"]["id"], "items": {"2": "首页被替换"}},
        }
        sent = {"json": body[endpoint.name]} if endpoint.body else {}
        sent |= {"data": PROOF} if endpoint.upload else {}
        status, answer = await ask(path, endpoint.method, **sent)
        # A token is nobody's word.
        expected = 409 if endpoint.name in {"confirmIncident", "correctIncident"} else 200
        assert status == expected, (path, answer)
        _check(answer, document, endpoint, str(expected))
        if isinstance(answer, dict) and "items" in answer:
            assert answer["items"], path
        checked.add(endpoint.name)
        if "not-found" in endpoint.problems and endpoint.parameters:
            missing = endpoint.template.format(**dict.fromkeys(endpoint.parameters, "nothing")) + query
            status, problem = await ask(missing, endpoint.method, **sent)
            assert status == 404, missing
            _check(problem, document, endpoint, "404")

    assert checked == {endpoint.name for endpoint in ENDPOINTS}


async def _lived_in(room: Room) -> dict[str, Any]:
    """Put at least one of everything into the store; return the ids the routes are asked with."""
    now = room.clock()
    node = a_node(now)
    heartbeat = {"metrics_address": "10.20.0.7:9464"}
    fact = {
        "node": node["id"],
        "kind": "heartbeat",
        "body": heartbeat,
        "observed_at": now,
        "received_at": now,
    }
    await room.insert(schema.nodes, node)
    await room.insert(schema.node_facts, fact)
    await room.insert(schema.exits, an_exit(node["id"], now))
    await room.insert(schema.exit_days, a_day("district", "2026-03-02", room.clock()))
    await room.insert(schema.received_filings, a_received(now - timedelta(minutes=1)))
    incident = await room.open(node=node["id"])
    await room.runner.work()
    async with room.store.read() as conn:
        clock = (await conn.execute(schema.clocks.select())).first()
        filing = (await conn.execute(schema.filings.select())).first()
        run = (await conn.execute(schema.runs.select())).first()
    assert clock
    assert filing
    assert run
    async with room.store.write() as conn:
        order = await add_order(
            conn,
            key="desk/1",
            node=node["id"],
            incident=None,
            kind="collect_evidence",
            params={},
            deadline=now + timedelta(minutes=5),
            now=now,
        )
        await add_drill(conn, a_drill(unit="district", units=["district"]), "user:wang")
        await take_announced(conn, notice_of(a_drill(id="d9", unit="district")), "n1", now)
        await keep_manifest(conn, manifest(order.id), node=node["id"], unit="district", now=now)
    mailed_one = await room.open()
    mailed_clock, identity = await mailed(room, mailed_one)
    async with room.store.write() as conn:
        answer = await add_attachment(
            conn,
            mailed_one,
            name="answer.eml",
            media_type="message/rfc822",
            body=reply(refers=identity),
            actor="user:wang",
            now=now,
        )
    return {
        "id": incident,
        "getAnswer": {"id": mailed_one, "attachment": answer.id, "clock": mailed_clock},
        "getOrder": {"id": order.id},
        "getEvidence": {"id": order.id},
        "getNode": {"id": node["id"]},
        "getAsset": {"id": "district-portal"},
        "getUnit": {"id": "district"},
        "getExit": {"node": node["id"], "key": "eth0|198.51.100.1"},
        "getObligation": {"id": clock.id},
        "getFiling": {"id": filing.id},
        "getRun": {"id": run.id},
        "completeStep": {"id": run.id, "step": "static-notice"},
        "actOnRun": {"id": run.id},
        "getRunStatus": {"id": run.id},
        "getDrill": {"id": "d1"},
        "actOnDrill": {"id": "d1"},
        "decideDrill": {"id": "d9"},
        "getAuditEntry": {"id": "1"},
    }


def _check(answer: object, document: dict[str, Any], endpoint: Endpoint, status: str) -> None:
    kind = "application/json" if status == "200" else "application/problem+json"
    place = [
        "paths",
        endpoint.template,
        endpoint.method.lower(),
        "responses",
        status,
        "content",
        kind,
        "schema",
    ]
    pointer = "/".join(part.replace("/", "~1") for part in place)
    registry = Registry().with_resource("doc:", Resource.from_contents(document, DRAFT202012))
    Draft202012Validator({"$ref": f"doc:#/{quote(pointer)}"}, registry=registry).validate(answer)
