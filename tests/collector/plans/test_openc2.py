"""What an OpenC2 body says of itself."""

from typing import Any

import pytest

from collector.plans.openc2 import COMMAND, MESSAGE, media_of, request_of

DENY = {"action": "deny", "target": {"ipv4_net": "198.51.100.7"}}


@pytest.mark.parametrize(
    ("body", "media"),
    [
        (DENY, COMMAND),
        ({"headers": {}, "body": {"openc2": {"request": DENY}}}, MESSAGE),
        ({"body": {"openc2": {"response": {"status": 200}}}}, None),
        ({"action": "dance", "target": {"x": 1}}, None),
        ({"action": ["deny"], "target": {"x": 1}}, None),
        ({"action": "deny", "target": {"a": 1, "b": 2}}, None),
        ({"subject": "s", "body": "text"}, None),
        ({}, None),
    ],
)
def test_only_a_command_or_a_request_is_openc2(body: dict[str, Any], media: str | None) -> None:
    assert media_of(body) == media


@pytest.mark.parametrize(
    ("body", "request_id"),
    [
        ({"headers": {"request_id": "r-1"}}, "r-1"),
        ({**DENY, "command_id": "c-1"}, "c-1"),
        (DENY, None),
        ({"headers": {"request_id": 7}}, None),
        ({"headers": {"request_id": "a\r\nX-Evil: 1"}}, None),
    ],
)
def test_the_request_id_is_a_line_of_text_or_none(body: dict[str, Any], request_id: str | None) -> None:
    assert request_of(body) == request_id
