from typing import Any

import msgspec
import pytest

from collector.exposure import Asset, Exits, Sockets
from collector.stages.bodies import Incident, decode_body, plain
from wire.messages import ReportKind

GOOD: dict[str, Any] = {
    "key": "k",
    "class": "NAWEBMOD",
    "first_seen": "2026-03-02T04:00:00Z",
    "last_seen": "2026-03-02T04:00:00Z",
}


def raw(body: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(body))


@pytest.mark.parametrize(
    ("kind", "body", "form"),
    [
        ("exits", {"links": [], "routes": []}, Exits),
        ("sockets", {"connections": [], "total": 0}, Sockets),
        ("asset", {"host_name": "h"}, Asset),
        ("incident", GOOD, Incident),
        ("heartbeat", {"version": "1"}, dict),
        ("gap", {"count": None}, dict),
        ("evidence", {"name": "x"}, dict),
    ],
)
def test_a_body_is_read_by_its_kind(kind: ReportKind, body: dict[str, Any], form: type) -> None:
    assert isinstance(decode_body(kind, raw(body)), form)
    assert plain(raw(body)) == body


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"class": 7}, r"\$\.class"),
        ({"key": ""}, r"\$\.key"),
        ({"first_seen": "2026-03-02T04:00:00"}, r"\$\.first_seen"),
        ({"first_seen": "yesterday"}, r"\$\.first_seen"),
        ({"count": -1}, r"\$\.count"),
        ({"facts": []}, r"\$\.facts"),
    ],
)
def test_what_an_incident_says_wrongly_is_told_with_its_path(change: dict[str, Any], where: str) -> None:
    with pytest.raises(ValueError, match=where):
        decode_body("incident", raw(GOOD | change))


@pytest.mark.parametrize("body", [[], 7, None])
def test_a_body_is_always_an_object(body: object) -> None:
    for kind in ("heartbeat", "exits", "incident"):
        with pytest.raises(ValueError, match="object"):
            decode_body(kind, raw(body))
