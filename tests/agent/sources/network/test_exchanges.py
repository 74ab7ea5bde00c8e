import asyncio
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from agent.sources.host.asset import DeclaredAsset
from agent.sources.network.exchanges import MailSettings, Resolvers, exchanges, refusal

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from scapy.layers.dns import DNS, DNSRR, DNSRRMX

OWN = MailSettings(domains=("example.cn",))
ZONE: dict[tuple[str, int], list[DNSRR | DNSRRMX]] = {
    ("example.cn", 15): [
        DNSRRMX(rrname="example.cn", preference=20, exchange="mx2.example.cn"),
        DNSRRMX(rrname="example.cn", preference=10, exchange="mx.example.net"),
    ],
    ("mx.example.net", 1): [DNSRR(rrname="mx.example.net", type="A", rdata="203.0.113.25")],
    ("mx.example.net", 28): [DNSRR(rrname="mx.example.net", type="AAAA", rdata="2001:db8::25")],
    ("mx2.example.cn", 1): [DNSRR(rrname="mx2.example.cn", type="A", rdata="10.20.0.25")],
    ("none.cn", 1): [DNSRR(rrname="none.cn", type="A", rdata="10.20.0.26")],
}


class Server(asyncio.DatagramProtocol):
    """A resolver; `mangle` makes datagrams of the question and the true answer."""

    def __init__(self, mangle: Callable[[DNS, DNS], list[bytes]]) -> None:
        self._mangle = mangle
        self.asked: list[tuple[str, int]] = []

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401 - its class depends on the loop
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        asked = DNS(data)
        key = (asked.qd[0].qname.decode().rstrip("."), int(asked.qd[0].qtype))
        self.asked.append(key)
        known = any(name == key[0] for name, _ in ZONE)
        answer = DNS(id=asked.id, qr=1, qd=asked.qd, an=ZONE.get(key, []), rcode=0 if known else 3)
        for datagram in self._mangle(asked, answer):
            self._transport.sendto(datagram, addr)


@asynccontextmanager
async def server(
    mangle: Callable[[DNS, DNS], list[bytes]] = lambda _, answer: [bytes(answer)],
) -> AsyncIterator[tuple[Server, Resolvers]]:
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(
        lambda: Server(mangle), local_addr=("127.0.0.1", 0)
    )
    try:
        port = transport.get_extra_info("sockname")[1]
        yield protocol, Resolvers(["127.0.0.1"], 0.2, port)
    finally:
        transport.close()


async def test_the_exchanges_come_best_first_with_their_addresses() -> None:
    async with server() as (asked, resolvers):
        found = await exchanges(["example.cn"], resolvers.ask)

    assert found == [
        {
            "domain": "example.cn",
            "exchanges": [
                {
                    "name": "mx.example.net",
                    "preference": 10,
                    "addresses": ["2001:db8::25", "203.0.113.25"],
                },
                {"name": "mx2.example.cn", "preference": 20, "addresses": ["10.20.0.25"]},
            ],
            "why": None,
        }
    ]
    assert {name for name, _ in asked.asked} == {"example.cn", "mx.example.net", "mx2.example.cn"}


async def test_a_domain_without_mx_takes_its_letters_itself_and_an_unknown_one_none() -> None:
    async with server() as (_, resolvers):
        plain, unknown = await exchanges(["none.cn", "nowhere.cn"], resolvers.ask)

    assert plain["exchanges"] == [{"name": "none.cn", "preference": 0, "addresses": ["10.20.0.26"]}]
    assert (unknown["exchanges"], unknown["why"]) == ([], "the resolver knows no such name")


async def test_an_answer_to_another_question_is_not_believed() -> None:
    def forge(asked: DNS, answer: DNS) -> list[bytes]:
        other = DNS(bytes(answer))
        other.id = (asked.id + 1) % 65536
        renamed = DNS(bytes(answer))
        renamed.qd[0].qname = "other.cn"
        return [b"", b"\xff" * 30, bytes(asked), bytes(other), bytes(renamed)]

    async with server(forge) as (_, resolvers):
        (found,) = await exchanges(["example.cn"], resolvers.ask)

    assert found["exchanges"] == []
    assert "no answer" in found["why"]


async def test_a_resolver_that_fails_is_named() -> None:
    def fail(_: DNS, answer: DNS) -> list[bytes]:
        answer.rcode = 2
        return [bytes(answer)]

    async with server(fail) as (_, resolvers):
        (found,) = await exchanges(["example.cn"], resolvers.ask)

    assert "127.0.0.1: it answers with code 2" in found["why"]


async def test_without_a_resolver_it_says_so() -> None:
    (found,) = await exchanges(["example.cn"], Resolvers([], 0.1).ask)

    assert found["why"] == "no resolver is configured"


def test_nobody_is_asked_unless_a_domain_is_named_and_never_from_a_classified_node() -> None:
    assert refusal(MailSettings(), []) == "off"
    assert refusal(OWN, [DeclaredAsset(id="a")]) == ""
    assert "classified" in refusal(OWN, [DeclaredAsset(id="a"), DeclaredAsset(id="b", classified=True)])


@pytest.mark.parametrize("domain", ["", "cn", "exa mple.cn", "example.cn/", "x" * 64 + ".cn", "../a.cn"])
def test_what_is_no_domain_is_refused(domain: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"domains": [domain]}, MailSettings)
