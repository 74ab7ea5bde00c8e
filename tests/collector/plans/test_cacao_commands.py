"""What commands become: nothing is run, nothing is dropped."""

from base64 import b64encode
from typing import Any

import pytest

from collector.plans.cacao_commands import action_of

TARGET = {"type": "http-api", "name": "firewall", "address": {"dname": ["fw.gov.example"]}, "port": "443"}
DOCUMENT = {
    "agent_definitions": {"individual--1": {"type": "individual", "name": "admin on duty"}},
    "target_definitions": {"http-api--1": TARGET},
}
POST = {"type": "http-api", "command": "POST /block HTTP/1.1", "content": '{"ip": "__ip__:value"}'}


def became(*commands: dict[str, Any], **step: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of a step
    return action_of({"commands": list(commands), **step}, DOCUMENT, lambda _: "number")


@pytest.mark.parametrize(
    "kind",
    [
        "bash",
        "ssh",
        "powershell",
        "sigma",
        "yara",
        "kestrel",
        "elastic",
        "caldera-cmd",
        "jupyter",
        "openc2-http",
        "new",
    ],
)
def test_a_foreign_command_is_a_step_for_a_person_with_its_text(kind: str) -> None:
    encoded = b64encode("删除 rm -rf /".encode()).decode()

    plain = became({"type": kind, "command": "rm -rf /"}, agent="individual--1")
    hidden = became({"type": kind, "command_b64": encoded}, targets=["http-api--1"])

    assert plain["kind"] == hidden["kind"] == "manual"
    assert plain["command"] == f"[{kind}] rm -rf /\n\n执行 agent: admin on duty"
    assert "删除 rm -rf /" in hidden["command"]
    assert "fw.gov.example" in hidden["command"]


def test_a_plain_post_of_json_is_a_request_of_ours() -> None:
    assert became(POST, targets=["http-api--1"]) == {
        "kind": "http_request",
        "url": "https://fw.gov.example/block",
        "body": {"ip": "{vars.ip}"},
    }


OPENC2 = {
    "type": "openc2-http",
    "command": "POST /openc2 HTTP/1.1",
    "headers": {"Content-Type": ["application/openc2-cmd+json;version=1.0"], "X-Request-ID": ["1"]},
    "content_b64": b64encode(b'{"action": "deny", "target": {"ipv4_net": "__ip__:value"}}').decode(),
}


def test_an_openc2_command_is_a_request_of_ours() -> None:
    assert became(OPENC2, targets=["http-api--1"]) == {
        "kind": "http_request",
        "url": "https://fw.gov.example/openc2",
        "body": {"action": "deny", "target": {"ipv4_net": "{vars.ip}"}},
    }


@pytest.mark.parametrize("content", [b"deny 198.51.100.7", b'{"action": "dance"}', b"[1]", b"\xff"])
def test_an_openc2_command_that_is_none_is_for_a_person(content: bytes) -> None:
    step = became({**OPENC2, "content_b64": b64encode(content).decode()}, targets=["http-api--1"])

    assert step["kind"] == "manual"
    assert "openc2-http" in step["command"]


@pytest.mark.parametrize(
    "change",
    [
        {"command": "DELETE /block HTTP/1.1"},
        {"headers": {"Authorization": ["Bearer x"]}},
        {"content": "ip=1"},
    ],
)
def test_any_other_call_is_for_a_person(change: dict[str, Any]) -> None:
    step = became({**POST, **change}, targets=["http-api--1"])

    assert step["kind"] == "manual"
    assert all(str(word) in step["command"] for word in ("fw.gov.example", "/block"))


def test_out_args_are_the_fields_of_a_form() -> None:
    step = became({"type": "manual", "command": "look at __ip__:value"}, out_args=["__hit-count__"])

    assert step["text"]["zh"] == "look at {vars.ip}"
    assert step["out"] == {"hit_count": "hit_count"}
    assert step["form"]["hit_count"]["type"] == "number"


def test_several_commands_and_none_are_one_step_with_all_that_is_there() -> None:
    both = became({"type": "bash", "command": "one"}, {"type": "manual", "command": "two"})

    assert both["command"] == "[bash] one\n\n[manual] two"
    assert became()["command"] == "(no command)"
    assert len(became({"type": "bash", "command": "x" * 9_000})["command"]) <= 4_000
