"""A settings file is taken whole or refused with every mistake at its place."""

from datetime import timedelta
from pathlib import Path

import pytest

from collector.settings import Route, read_settings
from collector.yaml_marks import Mistakes

SHIPPED = Path(__file__).parents[2] / "configs" / "collector.yaml"
LEAST = "unit: heping\nregistry: registry.yaml\n"


def mistakes_of(text: str) -> list[str]:
    with pytest.raises(Mistakes) as caught:
        read_settings(text, "c.yaml", {})
    return str(caught.value).splitlines()


def test_the_shipped_settings_are_valid_as_they_stand() -> None:
    settings = read_settings(SHIPPED.read_text(), str(SHIPPED), {})

    assert settings.routes["informatization_authority"] == Route(way="upstream", auto=True)
    assert Path(settings.registry) == SHIPPED.parent / "registry.yaml"


def test_two_lines_are_enough_and_the_rest_has_sensible_defaults() -> None:
    settings = read_settings(LEAST, "/etc/fengsui/c.yaml", {})

    assert settings.registry == "/etc/fengsui/registry.yaml"
    assert settings.listen.console.host == "127.0.0.1"
    assert settings.database_url == "sqlite+aiosqlite:////var/lib/fengsui/collector/state.db"
    assert settings.events_url != settings.database_url
    assert settings.retention.events >= timedelta(days=183)


def test_the_environment_wins_over_the_file() -> None:
    settings = read_settings(
        LEAST,
        "/etc/c.yaml",
        {"FENGSUI_STATE_DIR": "/srv/f", "FENGSUI_DATABASE_URL": "postgresql+asyncpg://h/d"},
    )

    assert settings.events_url == "sqlite+aiosqlite:////srv/f/events.db"
    assert settings.database_url == "postgresql+asyncpg://h/d"


def test_every_mistake_is_told_at_once_with_its_place() -> None:
    found = mistakes_of(
        "unit: heping\n"
        "regsitry: r.yaml\n"
        "listen: {agents: {host: everywhere, port: 99999}}\n"
        "channels: [{name: a, kind: webhook, url: 'ftp://x'}, {name: b, kind: pigeon}, "
        "{name: c, kind: apprise, timeout: 0s}]\n"
        "routes: {police: {way: fax}}\n"
    )

    places = {line.split(": ")[0].rsplit(":", 1)[0] for line in found}
    assert {"c.yaml:2", "c.yaml:3", "c.yaml:4", "c.yaml:5"} <= places
    assert any("did you mean 'registry'?" in line for line in found)
    assert len(found) >= 7


def test_an_address_is_wanted_where_an_address_belongs() -> None:
    assert (
        "an IP address, not 'everywhere'" in mistakes_of(LEAST + "listen: {console: {host: everywhere}}\n")[0]
    )


def test_a_listener_that_nobody_could_verify_is_refused() -> None:
    (found,) = mistakes_of(LEAST + "listen: {agents: {names: []}}\n")

    assert "listen.agents: found" in found
    assert "expected one name or address by which nodes reach this host, or more" in found


def test_two_channels_of_one_name_and_a_wild_prefix_are_refused() -> None:
    found = mistakes_of(
        LEAST + "channels: [{name: a, kind: apprise}, {name: a, kind: apprise}]\nhttp_allow: ['*']\n"
    )

    assert [line.split(" ")[1] for line in found] == ["channels[1].name:", "http_allow[0]:"]


def test_mail_and_short_messages_say_what_they_need() -> None:
    settings = read_settings(
        LEAST
        + "channels:\n"
        + "  - {name: m, kind: mail, secret_file: pw, mail: {host: mx, from: a@b.example, ca_file: ca.pem}}\n"
        + "  - {name: s, kind: sms, url: 'https://sms.example/', sms: {body: {to: '{phone}'}}}\n",
        "/etc/fengsui/c.yaml",
        {},
    )
    mail = settings.channels[0]

    assert (mail.secret_file, mail.mail and mail.mail.ca_file) == ("/etc/fengsui/pw", "/etc/fengsui/ca.pem")
    assert mail.mail is not None
    assert (mail.mail.port, mail.mail.security) == (465, "tls")


def test_what_a_channel_lacks_or_has_too_much_of_is_told() -> None:
    found = mistakes_of(
        LEAST
        + "channels:\n"
        + "  - {name: a, kind: mail}\n"
        + "  - {name: b, kind: webhook, sms: {body: {}}}\n"
        + "  - {name: c, kind: mail, mail: {host: mx.example, from: a@b.example, security: none}}\n"
        + "  - {name: d, kind: sms, url: 'https://h/', sms: {body: {}, method: GET}}\n"
        + "  - {name: e, kind: sms, url: 'https://h/', sms: {body: {a: {b: c}}, encoding: form}}\n"
        + "  - {name: f, kind: apprise, secret_file: x}\n"
    )

    assert [line.split(":")[1] for line in found] == ["4", "5", "6", "7", "8", "9"]


def test_a_place_that_no_template_has_is_told_where_it_stands() -> None:
    (found,) = mistakes_of(
        LEAST + "channels:\n  - {name: s, kind: sms, url: 'https://h/', sms: {body: {to: ['{fone}']}}}\n"
    )

    assert found.startswith("c.yaml:4:63: channels[0].sms.body.to[0]: found '{fone}', expected a place")


def test_a_database_that_nobody_here_speaks_is_told_before_the_start() -> None:
    (told,) = mistakes_of(LEAST + "database: {url: 'mysql://db/fengsui'}\n")

    assert told.startswith("c.yaml:3:17: database.url: found 'mysql://db/fengsui'")


def test_no_database_address_needs_a_driver() -> None:
    events, state = "postgresql://fengsui@db/fengsui_events", "postgresql://fengsui@db/fengsui"
    settings = read_settings(LEAST + f"database: {{url: '{state}', events: '{events}'}}\n", "c.yaml", {})

    assert (settings.database_url, settings.events_url) == (state, events)
