"""Answers to mailed reports as mail programs and servers write them, and as an enemy would."""

import time
from datetime import UTC, datetime

import pytest

from collector.desk.answers import NoAnswerError, looks_like_mail, read_answer

OURS = "<da7aa12e@county.example>"
HEAD = b"From: Duty Desk <desk@authority.example>\nDate: Mon, 2 Mar 2026 09:30:00 +0800\n"


def delivery_status(action: str, status: str = "5.1.1", said: str = "550 no such user") -> bytes:
    """What a server says of our mail (RFC 3464), with the head of our mail behind it."""
    return (
        "From: MAILER-DAEMON@authority.example\n"
        "Date: Mon, 2 Mar 2026 09:30:00 +0800\n"
        "Subject: Delivery Status Notification\n"
        "MIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n'
        "\n"
        "--b\n"
        "Content-Type: text/plain\n\n"
        "This is what became of your mail.\n"
        "--b\n"
        "Content-Type: message/delivery-status\n\n"
        "Reporting-MTA: dns; mx.authority.example\n\n"
        "Final-Recipient: rfc822; report@authority.example\n"
        f"Action: {action}\n"
        f"Status: {status}\n"
        f"Diagnostic-Code: smtp; {said}\n\n"
        "--b\n"
        "Content-Type: text/rfc822-headers\n\n"
        f"Message-ID: {OURS}\n"
        "Subject: report\n\n"
        "--b--\n"
    ).encode()


def reply(text: str = "收到,编号 2026-117。", more: str = "", refers: str = OURS) -> bytes:
    return (
        "From: =?utf-8?B?5YC854+t5a6k?= <desk@authority.example>\n"
        "Date: Mon, 2 Mar 2026 09:30:00 +0800\n"
        "Subject: =?utf-8?B?5Zue5aSN?=\n"
        f"In-Reply-To: {refers}\n"
        f"{more}"
        "Content-Type: text/plain; charset=utf-8\n\n"
        f"{text}\n"
    ).encode()


READ_RECEIPT = (
    b"From: desk@authority.example\n"
    b'Content-Type: multipart/report; report-type=disposition-notification; boundary="b"\n\n'
    b"--b\nContent-Type: text/plain\n\nread\n"
    b"--b\nContent-Type: message/disposition-notification\n\n"
    b"Final-Recipient: rfc822;report@authority.example\n"
    b"Original-Message-ID: <da7aa12e@county.example>\n"
    b"Disposition: manual-action/MDN-sent-manually; displayed\n\n--b--\n"
)


def test_a_reply_says_who_when_and_what_and_names_our_mail() -> None:
    answer = read_answer(reply())

    assert (answer.kind, answer.outcome, answer.sender) == ("reply", "arrived", "desk@authority.example")
    assert (answer.subject, answer.text) == ("回复", "收到,编号 2026-117。")
    assert answer.at == datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
    assert answer.refers == {OURS}


def test_the_references_of_a_longer_exchange_name_it_too() -> None:
    answer = read_answer(reply(more=f"References: <a@b>\n {OURS}\n", refers="<other@authority.example>"))

    assert answer.refers == {OURS, "<a@b>", "<other@authority.example>"}


def test_an_automatic_reply_is_told_as_one() -> None:
    assert read_answer(reply(more="Auto-Submitted: auto-replied\n")).kind == "automatic"


@pytest.mark.parametrize(
    ("action", "outcome"),
    [("delivered", "arrived"), ("failed", "returned"), ("delayed", "pending"), ("relayed", "pending")],
)
def test_a_delivery_status_says_what_became_of_the_mail_in_its_head(action: str, outcome: str) -> None:
    answer = read_answer(delivery_status(action))

    assert (answer.kind, answer.outcome, answer.refers) == ("delivery", outcome, {OURS})
    assert answer.why == "5.1.1 550 no such user"
    assert answer.text == "This is what became of your mail."


def test_a_status_that_carries_the_whole_mail_names_it_too() -> None:
    whole = delivery_status("failed").replace(b"text/rfc822-headers", b"message/rfc822")

    assert read_answer(whole).refers == {OURS}


def test_a_read_receipt_names_our_mail() -> None:
    answer = read_answer(READ_RECEIPT)

    assert (answer.kind, answer.outcome, answer.refers) == ("read", "arrived", {OURS})


def test_lines_that_end_as_on_the_wire_are_read_alike() -> None:
    for whole in (reply(), delivery_status("failed"), READ_RECEIPT):
        assert read_answer(whole.replace(b"\n", b"\r\n")) == read_answer(whole)


@pytest.mark.parametrize("body", [b"", b"<html>", b"%PDF-1.7\n", b"Subject: x\n\nno sender", b"From: a" * 90])
def test_what_is_no_mail_is_refused(body: bytes) -> None:
    assert not looks_like_mail(body)
    with pytest.raises(NoAnswerError, match="found no mail"):
        read_answer(body)


NESTED = b"".join(b"Content-Type:\n multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(900))


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (HEAD + NESTED + b"\n", "900 nested parts"),
        (HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 5000, "5000 parts"),
        (HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\r\rx\r" * 5000, "5000 parts"),
        (HEAD + b"\n" + b"x\n" * 200_000, "200003 lines"),
    ],
    ids=["deep", "wide", "wide with other line ends", "long"],
)
def test_what_no_mail_program_builds_is_refused_before_it_is_parsed(body: bytes, found: str) -> None:
    began = time.process_time()
    with pytest.raises(NoAnswerError, match=found):
        read_answer(body)

    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    "body",
    [
        HEAD + b"Subject: =?utf-8?B?////?= =?x-none?Q?a?= =?utf-8?B?a?= \xff\xfe\n\n\xff\xfe",
        HEAD + b'Content-Type: text/plain; charset="a\x00b"\n\nhi',
        HEAD + b"Content-Type: text/plain; charset=punycode\n\n" + b"a-" * 90_000,
        HEAD + b"Content-Type: text/plain; charset*=x'y'z%ff\n\nhi",
        HEAD + b"In-Reply-To: " + b"<" * 200_000 + b"\n\nhi",
        HEAD + b"Content-Type: multipart/report\n\nno boundary",
        HEAD + b"Content-Type: message/delivery-status\n\nAction\x00: \xff\n\n\n\n",
        HEAD + b"Content-Type: message/disposition-notification\n\n\xff",
        HEAD.replace(b"2 Mar 2026 09:30:00 +0800", b"99 Xxx 99999999999 99:99:99 +9999") + b"\n\x1b[2J",
        b"From: \xff\xff@\xff\nTo" + b": x\nX" * 20_000 + b": x\n\n",
    ],
)
def test_a_hostile_mail_is_shown_with_less_in_it(body: bytes) -> None:
    began = time.process_time()
    answer = read_answer(body)

    assert time.process_time() - began < 2
    assert answer.refers == frozenset()
    for text in (answer.subject, answer.text, answer.sender, answer.why):
        assert text.encode() is not None  # no half characters, which no JSON can hold
        assert all(letter.isprintable() or letter == "\n" for letter in text)


def test_a_mail_names_no_more_mails_than_a_reader_would_look_at() -> None:
    many = " ".join(f"<{number}@b>" for number in range(5000))

    assert len(read_answer(reply(more=f"References: {many}\n")).refers) <= 400
