"""The webhook of Prometheus Alertmanager (version 4 of its message), unedited.

Every alert is read by itself: one that cannot be read takes no other with it.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta, Raw, Struct

from wire.codec import UNREADABLE

from .port import Alert, Read, Unreadable

MOST_ALERTS = 1000
_Name = Annotated[str, Meta(max_length=200, pattern=r"^[^\x00]*$")]
_Value = Annotated[str, Meta(max_length=8192, pattern=r"^[^\x00]*$")]  # no database holds NUL in text
_Words = Annotated[dict[_Name, _Value], Meta(max_length=200)]
_Time = Annotated[datetime, Meta(tz=True)]


class Foreign(Struct, kw_only=True):
    """An alert as both senders write it; what else it holds is theirs."""

    status: Literal["firing", "resolved"]
    labels: _Words
    starts_at: _Time = msgspec.field(name="startsAt")
    ends_at: _Time | None = msgspec.field(name="endsAt", default=None)
    annotations: _Words = {}
    generator: _Value = msgspec.field(name="generatorURL", default="")
    fingerprint: _Name = ""


Found = TypeVar("Found", bound=Foreign)


class _Message(Struct):
    alerts: Annotated[list[Raw], Meta(max_length=MOST_ALERTS)]


_message = msgspec.json.Decoder(_Message)
_alert = msgspec.json.Decoder(Foreign)


def read(body: bytes) -> Read:
    """Read a message."""
    return read_each(body, _alert, lambda one: {"generator": one.generator})


def read_each(
    body: bytes, decoder: "msgspec.json.Decoder[Found]", links: Callable[[Found], dict[str, str]]
) -> Read:
    """Read a message whose alerts have a form of their own.

    Args:
        body: As it came.
        decoder: Of one alert.
        links: Of one alert, by name; empty ones are left out.
    """
    try:
        message = _message.decode(body)
    except UNREADABLE as error:
        return Read([], [Unreadable("$", str(error), body)])
    read = Read([], [])
    for number, raw in enumerate(message.alerts):
        try:
            one = decoder.decode(raw)
        except UNREADABLE as error:
            read.unreadable.append(Unreadable(f"$.alerts[{number}]", str(error), bytes(raw)))
            continue
        read.alerts.append(_made(one, links(one)))
    return read


def _made(one: Foreign, links: dict[str, str]) -> Alert:
    over = one.status == "resolved"
    return Alert(
        fingerprint=one.fingerprint or _fingerprint(one.labels),
        starts_at=one.starts_at,
        # Of an alert that fires it is the year 1, or when it will be taken for over if nobody says more.
        ends_at=max(one.starts_at, one.ends_at or one.starts_at) if over else None,
        labels=one.labels,
        annotations=one.annotations,
        links={name: link for name, link in links.items() if link},
    )


def _fingerprint(labels: dict[str, str]) -> str:
    """What older senders leave out: told by the labels, as theirs is."""
    return hashlib.sha256(msgspec.json.encode(sorted(labels.items()))).hexdigest()[:16]
