"""Ways out that are known by names: public webmail that was asked for or greeted, and where mail goes."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from pathlib import Path
from typing import Any

from agent.clock import host_clock
from agent.detection.webmail import Seen, Unread
from agent.sources.network.exchanges import MailSettings
from agent.sources.network.exits import Exits, ExitsSettings
from agent.sources.network.webmail import Webmail

Watching = Callable[..., AbstractAsyncContextManager[Any]]


def now() -> datetime:
    return host_clock().now()


async def test_a_name_of_webmail_wakes_the_watch_and_is_told(watching: Watching) -> None:
    webmail = Webmail()
    settings = ExitsSettings(poll=3600)
    async with watching(Exits(settings, webmail=webmail)) as listener:
        first = await listener.until(lambda seen: seen.kind == "exits")
        webmail.note(Seen("qq", "mail.qq.com", "10.1.1.5", 1), {"10.1.1.5"}, now())
        second = await listener.until(lambda seen: bool(seen.body.get("webmail")))

    assert (first.body["webmail"], first.body["webmail_unread"]) == ([], 0)
    assert [row["name"] for row in second.body["webmail"]] == ["mail.qq.com"]


async def test_a_server_greeted_by_a_name_that_is_known_is_told_and_what_can_not_be_read_wakes_nobody(
    watching: Watching,
) -> None:
    webmail = Webmail()
    own = {"10.1.1.5"}
    async with watching(Exits(ExitsSettings(poll=3600), webmail=webmail)) as listener:
        webmail.note(Seen("qq", "mail.qq.com", "10.1.1.5", 1, ("203.0.113.9",)), own, now())
        await listener.until(lambda seen: bool(seen.body.get("webmail")))
        webmail.miss(Unread("10.1.1.5", 3), own)
        webmail.note(Seen("qq", "mail.qq.com", "10.1.1.5", 1, ("203.0.113.9",), "tls"), own, now())
        second = await listener.until(lambda seen: bool(seen.body.get("webmail_unread")))

    (row,) = second.body["webmail"]
    assert (row["greeted"], row["how"], second.body["webmail_unread"]) == (["203.0.113.9"], ["dns", "tls"], 3)


async def test_mail_exchanges_are_asked_of_the_hosts_resolvers_and_told(
    tmp_path: Path, watching: Watching
) -> None:
    """A host without a resolver: the question is made, and nobody can be asked."""
    settings = ExitsSettings(mail=MailSettings(domains=("example.cn",)))
    source = Exits(settings, root=tmp_path, unasked="")
    async with watching(source) as listener:
        seen = await listener.until(lambda one: "mail_domains" in one.body)
    (once,) = (await source.once(now())).observations

    expected = [{"domain": "example.cn", "exchanges": [], "why": "no resolver is configured"}]
    assert seen.body["mail_domains"] == once.body["mail_domains"] == expected


async def test_a_classified_node_asks_for_no_name_and_says_so(watching: Watching) -> None:
    source = Exits(ExitsSettings(mail=MailSettings(domains=("example.cn",))), unasked="classified")
    reading = await source.once(now())
    async with watching(source) as listener:
        gap = await listener.until(lambda one: one.kind == "gap")

    assert [(one.what, one.why) for one in reading.unreadable][-1] == ("mail exchanges", "classified")
    assert "mail exchanges are not looked up" in gap.body["why"]
