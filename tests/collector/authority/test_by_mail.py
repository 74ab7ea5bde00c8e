"""Filings to an authority by mail, over a real SMTP server: once by their key, whatever dies in between."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from collector.authority import AlreadyFiledError, ByHand, ByMail, Upstream
from collector.authority.upstream import way_of
from collector.channels.mail import MailChannel
from collector.desk.papers import Handed
from collector.documents import Printer, Renderer
from collector.settings import Mail, Route
from collector.store import schema
from collector.store.audits import Grace, find
from collector.store.filings import filings_of
from tests.contracts.postbox import Postbox, postbox

if TYPE_CHECKING:
    from pathlib import Path

    from collector.channels import Channel
    from collector.store.engine import Store
    from collector.store.filings import Filing
    from tests.conftest import Office

NINE = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
TO = "report@authority.example"
AUTHORITY = "informatization_authority"


class Killed(BaseException):
    """The process is gone."""


class Post:
    """A county whose reports go by mail, with the authority's mail server."""

    def __init__(self, store: "Store", office: "Office", box: Postbox, folder: "Path") -> None:
        self.store, self.office, self.box = store, office, box
        self.now = NINE
        self.routes = {AUTHORITY: Route(way="mail", auto=True, channel="mail", to=TO, attach=("iodef",))}
        mail = Mail(host="127.0.0.1", port=box.port, sender="duty@county.example", security="none")
        self.channel = MailChannel(
            "mail", mail, password="", now=lambda: self.now, timeout=timedelta(seconds=5)
        )
        self.channels: dict[str, Channel] = {"mail": self.channel}
        self.record_filing = office.casework.record_filing
        self.upstream = Upstream(
            store,
            state=folder,
            registry=lambda: office.registry,
            routes=lambda: self.routes,
            record_filing=office.casework.record_filing,
            statement=office.documents.statement,
            clock=lambda: self.now,
        )
        self.by_mail = self.sender()
        self.by_hand = ByHand(
            self.upstream,
            registry=lambda: office.registry,
            routes=lambda: self.routes,
            record_filing=office.casework.record_filing,
            statement=office.documents.statement,
        )
        self.incident = ""

    def sender(self, record_filing: Any = None) -> ByMail:  # noqa: ANN401 - a stand-in that dies
        return ByMail(
            self.store,
            routes=lambda: self.routes,
            channels=lambda: self.channels,
            make=Printer(self.store, self.office.documents, Renderer(lambda: "")).make,
            record_filing=record_filing or self.record_filing,
            language="zh",
            clock=lambda: self.now,
        )

    async def open(self) -> None:
        finding = self.office.finding(self.now)
        self.incident = await self.store.run(
            lambda conn: self.office.casework.open(conn, finding, self.now, self.now)
        )

    async def step(self, *, after: timedelta = timedelta(0)) -> "Filing":
        self.now += after
        await self.upstream.step()
        await self.by_mail.step()
        return await self.filing()

    async def filing(self) -> "Filing":
        async with self.store.read() as conn:
            return next(one for one in await filings_of(conn, self.incident) if one.recipient == AUTHORITY)

    async def clock(self) -> dict[str, Any]:
        query = sa.select(schema.clocks).where(schema.clocks.c.recipient == AUTHORITY)
        async with self.store.read() as conn:
            return dict((await conn.execute(query)).mappings().one())

    async def answer(self, number: str) -> None:
        clock = (await self.clock())["id"]
        handed = Handed(filed_at=self.now, medium="mail", number=number)
        await self.store.run(
            lambda conn: self.by_hand.submit(
                conn, self.incident, clock, handed, actor="user:li", now=self.now
            )
        )


@pytest.fixture
async def post(sqlite_state: "Store", office: "Office", tmp_path: "Path") -> AsyncIterator[Post]:
    async with postbox() as box:
        made = Post(sqlite_state, office, box, tmp_path)
        await made.open()
        yield made
        await made.upstream.close()


def ids(mails: list[EmailMessage]) -> set[str]:
    return {str(mail["Message-ID"]) for mail in mails}


async def test_the_servers_word_proves_the_sending_and_leaves_the_clock_open(post: Post) -> None:
    filing = await post.step()

    assert (filing.way, filing.state, filing.filed_at) == ("mail", "sent", NINE)
    assert filing.receipt_at is None
    assert (filing.result or {})["reply"].startswith("250 ")
    assert (await post.clock())["met_by"] is None
    assert post.box.recipients == [TO]


async def test_the_mail_tells_the_report_and_carries_its_documents(post: Post) -> None:
    filing = await post.step()

    (mail,) = post.box.mails
    body = mail.get_body()
    assert body is not None
    assert "县政府门户网站" in body.get_content()
    assert filing.key in body.get_content()
    (enclosure,) = mail.iter_attachments()
    assert str(enclosure.get_filename()).endswith(".iodef.json")
    assert b'"IncidentID"' in enclosure.get_content()
    assert (filing.result or {})["message_id"] == mail["Message-ID"]


async def test_the_answer_meets_the_clock_and_the_sending_tells_whether_in_time(
    post: Post,
) -> None:
    await post.step()
    post.now += timedelta(hours=3)
    await post.answer("2026-117")
    filing = await post.filing()

    assert (filing.state, filing.filed_at, filing.receipt_at) == ("receipted", NINE, post.now)
    clock = await post.clock()
    assert (clock["state"], clock["met_by"]) == ("met", filing.id)
    with pytest.raises(AlreadyFiledError):
        await post.answer("2026-118")


async def test_a_mail_without_an_answer_is_a_finding_of_the_auditor(post: Post) -> None:
    await post.step()

    async with post.store.read() as conn:
        found = await find(conn, NINE + timedelta(hours=1), Grace(), 10)
    assert ("filing_without_receipt", f"filing:{(await post.filing()).id}") in {
        (one.kind, one.subject) for one in found
    }


@pytest.mark.parametrize(
    ("behaviour", "state", "why"),
    [
        ("451 4.3.0 later", "waiting", "SMTP 451"),
        ("554 5.7.1 not from you", "refused", "SMTP 554"),
        ("cut", "waiting", "unknown whether it arrived"),
    ],
)
async def test_what_did_not_arrive_or_may_not_have_is_shown(
    post: Post, behaviour: str, state: str, why: str
) -> None:
    post.box.behaviour = behaviour
    filing = await post.step()

    assert (filing.state, filing.filed_at) == (state, None)
    assert why in (filing.result or {})["why"]


async def test_what_nobody_knows_goes_again_as_the_very_same_mail(post: Post) -> None:
    post.box.behaviour = "cut"
    await post.step()
    first = post.box.taken
    post.box.behaviour = "take"
    filing = await post.step(after=timedelta(minutes=10))

    assert filing.state == "sent"
    assert post.box.taken[-1] == first[0]
    assert ids(post.box.mails) == {str(post.box.mails[0]["Message-ID"])}


@pytest.mark.parametrize("moment", ["before the commit", "before the mail", "in the mail"])
async def test_a_process_that_dies_leaves_one_report_to_the_authority(
    post: Post, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dead(*_: object, **__: object) -> None:
        raise Killed

    async with post.store.read():
        await post.upstream.step()
    dying = post.sender(dead if moment == "before the commit" else None)
    with monkeypatch.context() as patched:
        if moment == "before the mail":
            patched.setattr(post.channel, "deliver", dead)
        if moment == "in the mail":
            patched.setattr(post.channel, "_hand_over", dead)
        with pytest.raises(Killed):
            await dying.step()
    assert (await post.filing()).state == "sending"

    post.now += timedelta(minutes=1)
    await post.by_mail.step()
    assert (await post.filing()).state == "sending"  # the dead one's lease still holds
    filing = await post.step(after=timedelta(minutes=3))

    assert filing.state == "sent"
    assert len(ids(post.box.mails)) == 1
    assert len(set(post.box.taken)) == 1
    assert len(post.box.mails) == (2 if moment == "before the commit" else 1)


async def test_sent_is_not_sent_again(post: Post) -> None:
    await post.step()
    await post.step(after=timedelta(days=2))

    assert len(post.box.mails) == 1


async def test_a_channel_that_is_gone_keeps_the_filing_waiting_and_says_so(post: Post) -> None:
    post.channels.clear()
    filing = await post.step()

    assert filing.state == "waiting"
    assert "the settings name no mail to informatization_authority" in (filing.result or {})["why"]


async def test_a_person_may_file_otherwise_what_no_server_took(post: Post) -> None:
    post.box.behaviour = "554 5.7.1 no"
    await post.step()
    await post.answer("by telephone, 12387")
    filing = await post.filing()

    assert (filing.way, filing.state) == ("person", "receipted")
    assert post.box.mails == []


async def test_what_is_not_to_go_by_itself_waits_for_a_persons_word(post: Post) -> None:
    post.routes[AUTHORITY] = Route(way="mail", channel="mail", to=TO, attach=())
    await post.upstream.step()
    await post.by_mail.step()
    assert post.box.mails == []

    clock = (await post.clock())["id"]
    await post.store.run(
        lambda conn: post.by_hand.submit(
            conn, post.incident, clock, Handed(way="upstream"), actor="user:li", now=post.now
        )
    )
    await post.by_mail.step()
    assert [mail.is_multipart() for mail in post.box.mails] == [False]


def test_a_drill_sends_no_mail() -> None:
    assert way_of(Route(way="mail", channel="mail", to=TO), None, of_drill=True) == "drill"
