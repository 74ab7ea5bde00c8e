"""What a route answers: a message, or a refusal as an RFC 9457 problem document."""

from http import HTTPStatus

import msgspec
from msgspec import Struct

from wire.codec import JSON, PROBLEM, encode

TYPE = "urn:fengsui:problem:"


class Reply(Struct, frozen=True):
    """An answer as bytes."""

    status: int
    body: bytes
    content_type: str = JSON
    retry_after: int | None = None


class RefusedError(Exception):
    """A request that is not served.

    Attributes:
        reason: Short code: the counter's label and the end of the problem's `type`.
        status: HTTP status.
        retry_after: Seconds after which the same request may be served; None where it never will be.
    """

    def __init__(self, reason: str, status: int, text: str, retry_after: int | None = None) -> None:
        super().__init__(text)
        self.reason = reason
        self.status = status
        self.retry_after = retry_after


class _Problem(Struct):
    type: str
    title: str
    status: int
    detail: str


def message(body: object, status: int = 200) -> Reply:
    """Return a message of `wire.messages` as an answer."""
    return Reply(status, encode(body))


def problem(reason: str, status: int, text: str, retry_after: int | None = None) -> Reply:
    """Return a problem document."""
    title = HTTPStatus(status).phrase
    document = _Problem(TYPE + reason, title, status, text)
    return Reply(status, msgspec.json.encode(document), PROBLEM, retry_after)
