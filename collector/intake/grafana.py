"""The webhook of Grafana's alerting (9 and later), unedited: Alertmanager's form, and links of its own."""

from typing import Annotated

import msgspec
from msgspec import Meta

from .alertmanager import Foreign, read_each
from .port import Read

_Link = Annotated[str, Meta(max_length=8192, pattern=r"^[^\x00]*$")]


class _Alert(Foreign, kw_only=True):
    dashboard: _Link = msgspec.field(name="dashboardURL", default="")
    panel: _Link = msgspec.field(name="panelURL", default="")
    values: _Link = msgspec.field(name="valueString", default="")


_alert = msgspec.json.Decoder(_Alert)


def read(body: bytes) -> Read:
    """Read a message."""
    return read_each(
        body,
        _alert,
        lambda one: {
            "generator": one.generator,
            "dashboard": one.dashboard,
            "panel": one.panel,
            "values": one.values,
        },
    )
