"""The answer to a mailed report, handed in by an officer, proves the receipt, or that the mail came back."""

from datetime import timedelta

import pytest

from collector.authority.by_hand import AlreadyFiledError
from collector.desk.answers import Answer, NoAnswerError
from collector.desk.papers import Handed
from collector.store.drafts import add_attachment
from collector.store.filings import claim_filings
from tests.collector.authority.test_by_mail import NINE, Post, post
from tests.collector.desk.test_answers import OURS, delivery_status, reply

__all__ = ["post"]


async def handed_in(post: Post, body: bytes, name: str = "answer.eml") -> str:
    """An officer keeps a mail with the incident; its id."""
    kept = await post.store.run(
        lambda conn: add_attachment(
            conn,
            post.incident,
            name=name,
            media_type="message/rfc822",
            body=body,
            actor="person:li-na",
            now=post.now,
        )
    )
    return kept.id


async def confirm(post: Post, body: bytes) -> None:
    clock, attachment = (await post.clock())["id"], await handed_in(post, body)
    handed = Handed(way="answer", attachment=attachment)
    await post.store.run(
        lambda conn: post.by_hand.submit(
            conn, post.incident, clock, handed, actor="person:li-na", now=post.now
        )
    )


async def looked_at(post: Post, body: bytes) -> Answer:
    clock, attachment = (await post.clock())["id"], await handed_in(post, body)
    async with post.store.read() as conn:
        return await post.by_hand.answer(conn, post.incident, clock, attachment)


def ours(post: Post, body: bytes) -> bytes:
    """An answer to the mail that the post box has."""
    return body.replace(OURS.encode(), str(post.box.mails[0]["Message-ID"]).encode())


async def test_a_reply_that_an_officer_confirms_is_the_receipt(post: Post) -> None:
    await post.step()
    post.now += timedelta(hours=2)
    answer = ours(post, reply())
    assert (await looked_at(post, answer)).outcome == "arrived"
    assert (await post.clock())["met_by"] is None  # looking confirms nothing
    await confirm(post, answer)
    filing = await post.filing()

    assert (filing.state, filing.way, filing.filed_at) == ("receipted", "mail", NINE)
    assert filing.receipt_at == NINE + timedelta(minutes=30)  # as the answer says
    told = (filing.receipt or {})["answer"]
    assert (told["kind"], told["from"]) == ("reply", "desk@authority.example")
    assert (await post.clock())["state"] == "met"
    with pytest.raises(AlreadyFiledError):
        await confirm(post, answer + b"once more")


async def test_a_time_that_cannot_be_is_the_time_of_the_handing_in(post: Post) -> None:
    await post.step()
    post.now += timedelta(minutes=10)
    await confirm(post, ours(post, reply()))  # says 09:30, and it is 09:10

    assert (await post.filing()).receipt_at == post.now


async def test_a_mail_that_came_back_is_filed_otherwise_and_meets_nothing(post: Post) -> None:
    await post.step()
    await confirm(post, ours(post, delivery_status("failed")))
    filing = await post.filing()

    assert (filing.state, filing.receipt_at) == ("refused", None)
    assert (filing.result or {})["why"] == "the mail came back: 5.1.1 550 no such user"
    assert (await post.clock())["met_by"] is None
    await post.step(after=timedelta(days=1))
    assert len(post.box.mails) == 1

    await post.answer("by telephone, 12387-9")
    filing = await post.filing()
    assert (filing.way, filing.state, filing.filed_at) == ("person", "receipted", post.now)


async def test_what_says_nothing_final_or_answers_another_mail_is_refused(post: Post) -> None:
    await post.step()
    with pytest.raises(NoAnswerError, match="neither that it arrived"):
        await confirm(post, ours(post, delivery_status("delayed")))
    with pytest.raises(NoAnswerError, match=rf"an answer to {OURS}, expected one to <"):
        await confirm(post, reply())
    with pytest.raises(NoAnswerError, match="found no mail"):
        await confirm(post, b"%PDF-1.7")
    with pytest.raises(NoAnswerError, match="answer to none"):
        await confirm(post, post.box.taken[0])  # our own mail, saved

    assert (await post.filing()).state == "sent"


async def test_a_report_that_was_not_mailed_has_no_answer(post: Post) -> None:
    with pytest.raises(NoAnswerError, match="the report was not mailed"):
        await confirm(post, reply())


async def test_an_answer_shows_that_what_nobody_knew_of_arrived(post: Post) -> None:
    post.box.behaviour = "cut"
    await post.step()
    post.now += timedelta(hours=1)
    sent = post.box.taken[0].partition(b"Message-ID: ")[2].partition(b"\r\n")[0]
    await confirm(post, reply().replace(OURS.encode(), sent))
    filing = await post.filing()

    assert filing.state == "receipted"
    post.box.behaviour = "take"
    await post.step(after=timedelta(days=1))
    assert post.box.mails == []


async def test_nothing_is_confirmed_while_the_mail_is_being_sent(post: Post) -> None:
    post.box.behaviour = "451 later"
    await post.step()
    post.now += timedelta(hours=1)
    sent = post.box.taken[0].partition(b"Message-ID: ")[2].partition(b"\r\n")[0]
    async with post.store.write() as conn:
        await claim_filings(conn, owner="o", now=post.now, lease=timedelta(minutes=3), limit=1, way="mail")
    for body in (reply(), delivery_status("failed")):
        with pytest.raises(AlreadyFiledError, match="being sent just now"):
            await confirm(post, body.replace(OURS.encode(), sent))


async def test_an_attachment_that_bears_the_letters_name_is_never_sent_in_its_place(post: Post) -> None:
    await post.upstream.step()
    name = f"{(await post.filing()).key.replace('/', '_')}.eml"
    await handed_in(post, reply("not ours"), name)
    await post.by_mail.step()

    (mail,) = post.box.mails
    assert "县政府门户网站" in str(mail.get_body() and mail.get_body().get_content())
