"""OpenC2 in a request's body: told by the body itself, so that nothing else has to say it (pure).

>>> media_of({"action": "deny", "target": {"ipv4_net": "198.51.100.7"}})
'application/openc2-cmd+json;version=1.0'
>>> media_of({"body": {"openc2": {"request": {"action": "deny", "target": {"file": {}}}}}})
'application/openc2+json;version=1.0'
>>> media_of({"action": "deny"}) is None
True
"""

from collections.abc import Mapping
from typing import Any

COMMAND = "application/openc2-cmd+json;version=1.0"
MESSAGE = "application/openc2+json;version=1.0"
# The actions of the OpenC2 Language Specification 1.0, section 3.3.1.1.
_ACTIONS = (
    *("scan", "locate", "query", "deny", "contain", "allow", "start", "stop", "restart", "cancel", "set"),
    *("update", "redirect", "create", "delete", "detonate", "restore", "copy", "investigate", "remediate"),
)


def media_of(body: Mapping[str, Any]) -> str | None:
    """Return the media type of an OpenC2 command or message; None where a body is neither."""
    inner = body.get("body")
    openc2 = inner.get("openc2") if isinstance(inner, Mapping) else None
    if isinstance(openc2, Mapping) and isinstance(openc2.get("request"), Mapping):
        return MESSAGE
    target = body.get("target")
    is_command = body.get("action") in _ACTIONS and isinstance(target, Mapping) and len(target) == 1
    return COMMAND if is_command else None


def request_of(body: Mapping[str, Any]) -> str | None:
    """Return the request id that a message or command names itself."""
    headers = body.get("headers")
    found = headers.get("request_id") if isinstance(headers, Mapping) else body.get("command_id")
    return found if isinstance(found, str) and 0 < len(found) <= 128 and found.isprintable() else None
