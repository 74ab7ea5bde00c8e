from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.sources.network.mailways import relays


def put(root: Path, name: str, text: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)


@pytest.mark.parametrize(
    ("name", "text", "host", "port"),
    [
        ("etc/postfix/main.cf", "relayhost = [smtp.example.com]:587\n", "smtp.example.com", 587),
        ("etc/postfix/main.cf", "#relayhost = a\nrelayhost = 203.0.113.25\n", "203.0.113.25", 25),
        ("etc/exim4/update-exim4.conf.conf", "dc_smarthost='mail.gov.example::26'\n", "mail.gov.example", 26),
        ("etc/mail/sendmail.mc", "define(`SMART_HOST', `smtp.example.com')dnl\n", "smtp.example.com", 25),
        ("etc/msmtprc", "account default\nhost smtp.example.com\n", "smtp.example.com", 25),
        ("etc/ssmtp/ssmtp.conf", "mailhub=smtp.example.com:465\n", "smtp.example.com", 465),
    ],
)
def test_the_relay_of_a_mail_server_is_named(
    tmp_path: Path, name: str, text: str, host: str, port: int
) -> None:
    put(tmp_path, name, text)

    assert relays(tmp_path) == [{"host": host, "port": port, "source": f"/{name}"}]


def test_a_host_without_a_mail_server_has_no_relay(tmp_path: Path) -> None:
    put(tmp_path, "etc/postfix/main.cf", "relayhost =\nmydestination = localhost\n")

    assert relays(tmp_path) == []


@given(st.text(max_size=200))
def test_any_text_is_read_without_trouble(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    root = tmp_path_factory.mktemp("mail")
    put(root, "etc/postfix/main.cf", f"relayhost = {text}")

    assert all(0 <= len(row["host"]) <= 255 for row in relays(root))
