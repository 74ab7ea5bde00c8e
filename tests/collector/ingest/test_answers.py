"""Answers and problem documents."""

import json

from collector.ingest.answers import Reply, message, problem
from wire.messages import Orders


def test_a_problem_says_what_kind_it_is_and_what_to_do() -> None:
    reply = problem("full", 507, "the disk is full; make room", 30)

    assert reply == Reply(507, reply.body, "application/problem+json", 30)
    assert json.loads(reply.body) == {
        "type": "urn:fengsui:problem:full",
        "title": "Insufficient Storage",
        "status": 507,
        "detail": "the disk is full; make room",
    }


def test_a_message_is_json() -> None:
    assert message(Orders(version=1, orders=[])) == Reply(200, b'{"version":1,"orders":[]}')
