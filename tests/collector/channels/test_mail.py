"""Mail to a real SMTP server on loopback, over TLS from the first byte, after STARTTLS, and openly."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collector.channels.mail import MailChannel, open_mail, written
from collector.channels.port import Failed, Sent
from collector.errors import PermanentError
from collector.settings import ChannelSettings, Mail
from tests.certificates import self_signed
from tests.contracts.postbox import Postbox, postbox

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
WANG = "wang@county.example"
PAYLOAD = {"subject": "【烽燧】事件待确认", "body": "网页篡改\n.\n末行"}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return self_signed(tmp_path_factory.mktemp("mail") / "postbox.pem")


@pytest.fixture
def server(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def channel(box: Postbox, tmp_path: Path, *, password: str = "", **mail: str) -> MailChannel:
    secret = tmp_path / "password"
    secret.touch(0o600)
    secret.write_text(password or "unused")
    settings = ChannelSettings(
        name="mail",
        kind="mail",
        timeout=timedelta(seconds=5),
        secret_file=str(secret) if password else "",
        mail=Mail(host="127.0.0.1", port=box.port, sender="duty@fengsui.example", **mail),  # type: ignore[arg-type]
    )
    return open_mail(settings, lambda: NOON)


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_over_tls_the_servers_last_word_is_the_proof(
    server: ssl.SSLContext, certificate: Path, tmp_path: Path, security: str
) -> None:
    async with postbox(server, starttls=security == "starttls") as box:
        mail = channel(
            box, tmp_path, security=security, ca_file=str(certificate), user="duty", password="right"
        )
        result = await mail.send(WANG, PAYLOAD, "i/escalate_0/1/wang/mail")

        assert isinstance(result, Sent)
        assert result.detail["reply"] == "250 2.0.0 Ok: queued as 1"
        assert result.detail["message_id"] == box.mails[0]["Message-ID"]
        assert (box.recipients, box.signed_in) == ([WANG], [b"duty"])
        assert box.mails[0]["Subject"] == "【烽燧】事件待确认"
        assert box.mails[0].get_content().splitlines() == [
            "网页篡改",
            ".",
            "末行",
            "",
            "[i/escalate_0/1/wang/mail]",
        ]


async def test_a_server_with_a_foreign_certificate_hears_nothing(
    server: ssl.SSLContext, tmp_path: Path
) -> None:
    async with postbox(server) as box:
        result = await channel(box, tmp_path).send(WANG, PAYLOAD, "k")

        assert isinstance(result, Failed)
        assert not result.permanent
        assert box.mails == []


async def test_a_server_without_starttls_hears_nothing(tmp_path: Path) -> None:
    async with postbox() as box:
        result = await channel(box, tmp_path, security="starttls").send(WANG, PAYLOAD, "k")

        assert isinstance(result, Failed)
        assert box.mails == []


async def test_a_wrong_password_is_tried_again_later_and_not_told(
    server: ssl.SSLContext, certificate: Path, tmp_path: Path
) -> None:
    async with postbox(server) as box:
        mail = channel(box, tmp_path, ca_file=str(certificate), user="duty", password="wrong")
        result = await mail.send(WANG, PAYLOAD, "k")

        assert result == Failed(permanent=False, why="the server refuses the sign-in: 535")


@pytest.mark.parametrize(
    ("reply", "permanent"), [("450 4.2.1 later", False), ("550 5.1.1 no such user", True)]
)
async def test_a_refusal_is_for_good_or_not_by_the_servers_number(
    tmp_path: Path,
    reply: str,
    permanent: bool,  # noqa: FBT001 - a column of the table
) -> None:
    async with postbox() as box:
        mail = channel(box, tmp_path, security="none")
        box.at_rcpt = reply
        at_rcpt = await mail.send(WANG, PAYLOAD, "k")
        box.at_rcpt, box.behaviour = "", reply
        at_data = await mail.send(WANG, PAYLOAD, "k")

    assert at_rcpt == at_data == Failed(permanent=permanent, why=f"SMTP {reply}")


def test_what_is_sent_again_is_the_same_mail() -> None:
    later = NOON + timedelta(minutes=5)
    one, again, other = (
        written("a@b.example", address, PAYLOAD, key, at)["Message-ID"]
        for address, key, at in ((WANG, "k", NOON), (WANG, "k", later), (WANG, "l", NOON))
    )

    assert one == again != other
    assert one.endswith("@b.example>")


def test_a_subject_adds_no_header() -> None:
    mail = written("a@b.example", WANG, {"subject": "x\r\nBcc: evil@example"}, "k\r\nX: y", NOON)

    assert mail["Subject"] == "x Bcc: evil@example"
    assert mail["Bcc"] is None
    assert mail["X"] is None


def test_a_file_without_certificates_is_named(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    settings = ChannelSettings(
        name="mail",
        kind="mail",
        mail=Mail(host="m", sender="a@b.example", ca_file=str(tmp_path / "ca.pem")),
    )
    with pytest.raises(PermanentError, match=r"ca\.pem: found no certificates"):
        open_mail(settings, lambda: NOON)
