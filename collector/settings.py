"""What an operator writes for a collector: frozen structs, one place for defaults, every mistake at once."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias
from urllib.parse import urlsplit

from msgspec import Meta, Struct
from msgspec.structs import replace

from . import yaml_marks
from .places import mistakes_of
from .yaml_marks import Mistake, Mistakes, Node

PREFIX = "FENGSUI_"
Port = Annotated[int, Meta(ge=0, le=65535)]
Text = Annotated[str, Meta(min_length=1, max_length=512)]


def _check_host(host: str) -> None:
    try:
        ip_address(host)
    except ValueError:
        raise ValueError(f"host to be an IP address, not {host!r}") from None


class Agents(Struct, frozen=True, kw_only=True):
    """The agents' listener. `names` are the host names and addresses its certificate is made for."""

    host: Text = "0.0.0.0"  # noqa: S104 - agents come from other hosts; every route asks for a certificate
    port: Port = 8443
    names: tuple[Text, ...] = ("localhost", "127.0.0.1")

    def __post_init__(self) -> None:
        """Refuse what is no address, and a certificate for nobody."""
        _check_host(self.host)
        if not self.names:
            raise ValueError("one name or address by which nodes reach this host, or more")


class Console(Struct, frozen=True, kw_only=True):
    """Console and API: plain HTTP, so loopback unless a TLS proxy stands before it.

    Fields:
        url: Where people's browsers reach it; with it, notices carry a link for acknowledging.
    """

    host: Text = "127.0.0.1"
    port: Port = 8080
    url: str = ""

    def __post_init__(self) -> None:
        """Refuse what is no address."""
        _check_host(self.host)
        if self.url and urlsplit(self.url).scheme not in {"http", "https"}:
            raise ValueError(f"url to be an http or https address, not {self.url!r}")


class Listen(Struct, frozen=True, kw_only=True):
    """The two listeners; port 0 takes a free one, written to `<state_dir>/ports.json`."""

    agents: Agents = Agents()
    console: Console = Console()


# A driver may stand in it and need not: each database is spoken to by the one that comes with the product.
DatabaseAddress: TypeAlias = Annotated[str, Meta(pattern=r"^$|^(sqlite|postgresql)(\+[a-z0-9]+)?://")]


class Database(Struct, frozen=True, kw_only=True):
    """SQLAlchemy addresses of the state and of the event log; empty: SQLite files in `state_dir`."""

    url: DatabaseAddress = ""
    events: DatabaseAddress = ""


class Route(Struct, frozen=True, kw_only=True):
    """How a recipient is reached: the collector above, a mail, or a person who files and records the proof.

    Fields:
        auto: It is filed by itself, and not only when a person submits it.
        channel, to: Of a mail: a channel of that kind, and the authority's address.
        attach: The documents that go with a mail.
    """

    way: Literal["upstream", "mail", "person"] = "person"
    auto: bool = False
    channel: str = ""
    to: Annotated[str, Meta(pattern=r"^$|^[^\s@<>]{1,64}@[A-Za-z0-9.-]{1,253}$")] = ""
    attach: tuple[Literal["docx", "pdf", "iodef", "ocsf"], ...] = ("docx",)

    def __post_init__(self) -> None:
        """Refuse a mail to nowhere, and an address for what is no mail."""
        if (self.way == "mail") != bool(self.channel) or bool(self.channel) != bool(self.to):
            raise ValueError("`channel` and `to` with the way mail, and only there")


class Mail(Struct, frozen=True, kw_only=True, rename={"sender": "from"}):
    """A mail server. `security`: `tls` from the first byte, `starttls` before anything is said, or `none`.

    Fields:
        sender: Mail address that notices come from.
        user: For signing in; the password is the channel's `secret_file`.
        ca_file: PEM of the authority that signed the server's certificate; empty: the host's authorities.
    """

    host: Text
    sender: Annotated[str, Meta(pattern=r"^[^@\s]+@[A-Za-z0-9.-]+$")]
    port: Port = 465
    security: Literal["tls", "starttls", "none"] = "tls"
    user: str = ""
    ca_file: str = ""

    def __post_init__(self) -> None:
        """Refuse to speak openly with another host."""
        if self.security == "none" and self.host not in {"localhost", "127.0.0.1", "::1"}:
            raise ValueError("security to be tls or starttls; none is for a server on this host")


class Sms(Struct, frozen=True, kw_only=True):
    """How a gateway for short messages is called.

    Fields:
        body, headers: Templates with places (`collector.places`).
        encoding: Of the body: JSON, a form, or the address's query.
        accepted: Fields of a JSON answer, and the values that mean it was taken.
    """

    body: dict[str, Any]
    method: Literal["POST", "GET"] = "POST"
    encoding: Literal["json", "form", "query"] = "json"
    headers: dict[str, str] = {}
    accepted: dict[str, tuple[str, ...]] = {}

    def __post_init__(self) -> None:
        """Refuse a body where none can be sent, and one that is nested where it has to be flat."""
        if self.method == "GET" and self.encoding != "query":
            raise ValueError("encoding to be query for the method GET")
        if self.encoding != "json" and not all(isinstance(value, str) for value in self.body.values()):
            raise ValueError("body to be flat text for an encoding other than json")


class ChannelSettings(Struct, frozen=True, kw_only=True):
    """One way to people.

    Fields:
        url: A webhook's receiver, an apprise address or an SMS gateway; people may have their own of the
            first two.
        secret_file: What signs a webhook, a mail server's password, or an SMS gateway's key.
    """

    name: Text
    kind: Literal["webhook", "apprise", "mail", "sms"]
    url: str = ""
    timeout: timedelta = timedelta(seconds=10)
    secret_file: str = ""
    mail: Mail | None = None
    sms: Sms | None = None

    def __post_init__(self) -> None:
        """Refuse what does not belong to the kind, or is missing for it."""
        wants_http = self.kind == "sms" or (self.kind == "webhook" and self.url)
        if wants_http and urlsplit(self.url).scheme not in {"http", "https"}:
            raise ValueError(f"url to be an http or https address, not {self.url!r}")
        for kind, part in (("mail", self.mail), ("sms", self.sms)):
            if (self.kind == kind) != (part is not None):
                raise ValueError(f"`{kind}` with the kind {kind}, and only there")
        if self.kind == "apprise" and self.secret_file:
            raise ValueError("no secret_file: an apprise address holds its own secrets")
        if self.timeout <= timedelta(0):
            raise ValueError("timeout to be above zero")


class Retention(Struct, frozen=True, kw_only=True):
    """How long the event log is kept; 网络安全法 Art. 23 asks for six months of logs at least."""

    events: timedelta = timedelta(days=190)


class Settings(Struct, frozen=True, kw_only=True):
    """Everything of `collector.yaml`. Relative paths count from the file's own folder.

    Fields:
        unit: Registry key of the unit this collector belongs to.
        regimes, playbooks, escalation, sigma: Folders of the operator's own files; what stands there
            overrides the shipped one of the same id.
        calendars: Folder of the operator's own years of working days (`collector.workdays.file`).
        documents: Folder of the unit's own templates (`report.docx`, `report.typ`) and fonts for them.
        routes: Recipient of an obligation to its way out; what is not named waits for a person.
        http_allow: Address prefixes that `http_request` steps of plans may call.
    """

    unit: Text
    registry: Text
    state_dir: Text = "/var/lib/fengsui/collector"
    database: Database = Database()
    listen: Listen = Listen()
    regimes: str = ""
    playbooks: str = ""
    escalation: str = ""
    calendars: str = ""
    documents: str = ""
    sigma: str = ""
    routes: dict[str, Route] = {}
    channels: tuple[ChannelSettings, ...] = ()
    http_allow: tuple[Text, ...] = ()
    retention: Retention = Retention()
    language: Literal["zh", "en"] = "zh"

    @property
    def state(self) -> Path:
        """The folder of keys, databases and ports."""
        return Path(self.state_dir)

    @property
    def database_url(self) -> str:
        """SQLAlchemy address of the state database."""
        return self.database.url or f"sqlite+aiosqlite:///{self.state / 'state.db'}"

    @property
    def events_url(self) -> str:
        """Address of the event log: its own database (docs/architecture.md)."""
        return self.database.events or f"sqlite+aiosqlite:///{self.state / 'events.db'}"


def read_settings(text: str, file: str, environment: Mapping[str, str]) -> Settings:
    """Read a settings file; `FENGSUI_STATE_DIR`, `FENGSUI_DATABASE_URL` … win over it.

    Raises:
        Mistakes: every mistake of the file, each with its place.
    """
    settings, tree = yaml_marks.load_marked(text, file, Settings)
    if mistakes := list(_check(settings, tree)):
        raise Mistakes(mistakes)
    return _located(_overridden(settings, environment), Path(file).parent)


def _overridden(settings: Settings, environment: Mapping[str, str]) -> Settings:
    database = Database(
        url=environment.get(PREFIX + "DATABASE_URL", settings.database.url),
        events=environment.get(PREFIX + "DATABASE_EVENTS", settings.database.events),
    )
    return replace(
        settings,
        database=database,
        state_dir=environment.get(PREFIX + "STATE_DIR", settings.state_dir),
        unit=environment.get(PREFIX + "UNIT", settings.unit),
    )


def _located(settings: Settings, folder: Path) -> Settings:
    paths = {
        name: getattr(settings, name)
        for name in (
            "registry",
            "state_dir",
            "regimes",
            "playbooks",
            "escalation",
            "calendars",
            "documents",
            "sigma",
        )
    }
    return replace(
        settings,
        channels=tuple(_channel_located(channel, folder) for channel in settings.channels),
        **{name: _beside(folder, path) for name, path in paths.items()},
    )


def _channel_located(channel: ChannelSettings, folder: Path) -> ChannelSettings:
    mail = channel.mail and replace(channel.mail, ca_file=_beside(folder, channel.mail.ca_file))
    return replace(channel, mail=mail, secret_file=_beside(folder, channel.secret_file))


def _beside(folder: Path, path: str) -> str:
    return str((folder / path).resolve()) if path else ""


def _is_web(prefix: str) -> bool:
    try:
        parts = urlsplit(prefix)
        return parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return False


def _check(settings: Settings, tree: Node) -> Iterator[Mistake]:
    names = [channel.name for channel in settings.channels]
    for index, name in enumerate(names):
        if names.index(name) != index:
            yield tree.mistake(f"channels[{index}].name", repr(name), "a name no other channel has")
    for index, channel in enumerate(settings.channels):
        form = {"body": channel.sms.body, "headers": channel.sms.headers} if channel.sms else {}
        for path, found, expected in mistakes_of(form):
            yield tree.mistake(f"channels[{index}].sms.{path}", found, expected)
    mails = [channel.name for channel in settings.channels if channel.kind == "mail"]
    for name, route in settings.routes.items():
        if route.channel and route.channel not in mails:
            yield tree.mistake(f"routes.{name}.channel", repr(route.channel), "the name of a mail channel")
    for index, prefix in enumerate(settings.http_allow):
        if not _is_web(prefix):
            yield tree.mistake(f"http_allow[{index}]", repr(prefix), "an http or https address prefix")
