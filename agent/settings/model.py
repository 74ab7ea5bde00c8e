"""The settings of a node: one place for what may be written and for every default.

What the sources take, declared assets included, is theirs (`agent.sources`); `read` is handed their structs.
"""

from ipaddress import ip_network
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from msgspec import Meta, Struct

from wire.vocabulary import OrderKind

STATE_DIR = "/var/lib/fengsui/agent"


class Bounds(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The outbox's bounds.

    Fields:
        max_bytes: All reports together, each counted with 256 bytes for its row.
        max_age_hours: Telemetry older than this is dropped; incidents and evidence have no age.
        min_free_bytes: Below this much free disk the backlog of telemetry shrinks to a mebibyte.
    """

    max_bytes: Annotated[int, Meta(ge=1024, le=2**53)] = 256 * 1024 * 1024
    max_age_hours: Annotated[float, Meta(gt=0, le=87600)] = 24.0 * 14
    min_free_bytes: Annotated[int, Meta(ge=0, le=2**53)] = 200 * 1024 * 1024


class LogFile(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A log that evidence may hold the end of; a collector knows its name, never its path."""

    name: Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9._-]{0,63}$")]
    path: Annotated[str, Meta(pattern="^/")]


class OrdersSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a collector may ask of this node.

    Fields:
        allow: The kinds that are carried out; every other is refused. Empty: no order at all.
        evidence_bytes: What the evidence of one order may have at most.
        evidence_logs: The logs it may quote.
        management: Networks from which people work on this node: never blocked, reachable in isolation.
        deputy: Socket of `fengsui-agent deputy`; empty: the agent itself has the power to block and stop.
    """

    allow: tuple[OrderKind, ...] = ("collect_evidence",)
    evidence_bytes: Annotated[int, Meta(ge=4096, le=16 * 1024 * 1024)] = 1024 * 1024
    evidence_logs: tuple[LogFile, ...] = ()
    management: tuple[str, ...] = ()
    deputy: Annotated[str, Meta(pattern="^$|^/")] = ""


class MetricsSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where Prometheus may ask, as `address:port`; empty: nowhere."""

    listen: Annotated[str, Meta(pattern=r"^$|^(\[[0-9a-fA-F:]+\]|[^:\[\]]+):[0-9]{1,5}$")] = ""


class UpdateSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where `fengsui-agent update` gets releases from; a collector can't change it.

    Fields:
        mirror: A folder, or an https address; empty: no updates.
        root: The trusted root of its signatures.
        authority: PEM file of an https mirror's authority; empty: the system's.
        folder: The releases, with the links `current` and `good`.
        trial_seconds: In which a collector has to answer a new release.
        max_bytes: Of a bundle.
        fetch_seconds: In which a mirror has to give everything an update needs.
        restart: What starts the agent anew.
        restart_deputy: What starts the deputy anew, just before, where `orders.deputy` names one.
    """

    mirror: Annotated[str, Meta(pattern="^$|^/|^https://")] = ""
    root: Annotated[str, Meta(pattern="^/")] = "/etc/fengsui/update-root.json"
    authority: Annotated[str, Meta(pattern="^$|^/")] = ""
    folder: Annotated[str, Meta(pattern="^/")] = "/opt/fengsui"
    trial_seconds: Annotated[float, Meta(ge=1, le=3600)] = 180.0
    max_bytes: Annotated[int, Meta(ge=1024, le=2**31)] = 256 * 1024 * 1024
    fetch_seconds: Annotated[float, Meta(ge=10, le=86400)] = 1800.0
    restart: Annotated[tuple[str, ...], Meta(min_length=1)] = (
        "systemctl",
        "restart",
        "fengsui-agent.service",
    )
    restart_deputy: Annotated[tuple[str, ...], Meta(min_length=1)] = (
        "systemctl",
        "try-restart",
        "fengsui-agent-deputy.service",
    )


class Settings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything an operator may say.

    Fields:
        collectors: Addresses in the order in which they are tried; empty: the one that enrolled the node.
        unit, assets: Who operates the node and what it belongs to, as declared.
        state_dir: Where outbox and identity lie.
        internal_ranges: Networks that are inside; None: those that no router of the internet carries.
        language: Of the log and of commands.
        heartbeat_seconds: Distance between two heartbeats.
        sources: What the sources take.
    """

    collectors: tuple[Annotated[str, Meta(pattern="^https://")], ...] = ()
    unit: str = ""
    assets: tuple[Any, ...] = ()
    state_dir: str = STATE_DIR
    internal_ranges: tuple[str, ...] | None = None
    language: Literal["zh", "en"] = "zh"
    heartbeat_seconds: Annotated[float, Meta(ge=1, le=3600)] = 30.0
    outbox: Bounds = Bounds()
    orders: OrdersSettings = OrdersSettings()
    metrics: MetricsSettings = MetricsSettings()
    update: UpdateSettings = UpdateSettings()
    sources: Any = None


def objections(settings: Settings) -> list[tuple[str, str, str]]:
    """Return what no single field can tell: path, what was found, what was expected."""
    found = [
        (f"internal_ranges[{number}]", repr(text), f"a network such as 10.0.0.0/8 ({why})")
        for number, text in enumerate(settings.internal_ranges or ())
        if (why := _not_a_network(text))
    ]
    found += [
        (f"orders.management[{number}]", repr(text), f"a network such as 10.8.0.0/24 ({why})")
        for number, text in enumerate(settings.orders.management)
        if (why := _not_a_network(text))
    ]
    found += [
        (f"collectors[{number}]", repr(url), "https://HOST:PORT and nothing behind it")
        for number, url in enumerate(settings.collectors)
        if not _is_origin(url)
    ]
    names = [log.name for log in settings.orders.evidence_logs]
    found += [
        (f"orders.evidence_logs[{number}].name", f"{name!r} again", "each name once")
        for number, name in enumerate(names)
        if name in names[:number]
    ]
    return found


def _is_origin(url: str) -> bool:
    try:
        parts = urlsplit(url)
        rest = parts.path.rstrip("/") or parts.query or parts.fragment or parts.username
        return bool(parts.hostname) and parts.port != 0 and not rest
    except ValueError:
        return False


def _not_a_network(text: str) -> str:
    try:
        ip_network(text)
    except ValueError as error:
        return str(error)
    return ""
