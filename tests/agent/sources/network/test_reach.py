import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from agent.sources import SourcesSettings, build
from agent.sources.host.asset import AssetSettings, DeclaredAsset
from agent.sources.network.exits import Exits, ExitsSettings
from agent.sources.network.reach import (
    BeaconSettings,
    ReachError,
    ReachSettings,
    Way,
    ask,
    believed,
    candidates,
    refusal,
)
from wire import beacon
from wire.vocabulary import ZONES

KEY = Ed25519PrivateKey.generate()
PUBLIC = KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
PLACE = BeaconSettings(address="203.0.113.80:8081", public_key=PUBLIC)
ON = ReachSettings(enabled=True, zone="extranet", beacons=(PLACE,))
OPEN, SECRET = DeclaredAsset(id="a"), DeclaredAsset(id="b", classified=True)
NONCE = "ab" * 16


def answer(key: Ed25519PrivateKey = KEY, nonce: str = NONCE, address: str = "203.0.113.200") -> bytes:
    body = msgspec.json.encode(beacon.Saw(nonce, address, datetime(2026, 3, 2, tzinfo=UTC)))
    return beacon.encode(beacon.Answer(body, key.sign(beacon.signed(body))))


def checks(settings: ReachSettings, *assets: DeclaredAsset) -> bool:
    """Whether a node with these settings would ever ask anybody."""
    sources = SourcesSettings(exits=ExitsSettings(reach=settings), asset=AssetSettings(assets=assets))
    (found,) = [one for one in build(sources, None) if isinstance(one, Exits)]
    return found.checks


def test_it_is_off_by_default() -> None:
    assert refusal(ReachSettings(), [OPEN]) == "off"
    assert not checks(ReachSettings(), OPEN)


def test_in_zone_intranet_it_is_refused_unless_the_operator_says_so() -> None:
    inside = msgspec.structs.replace(ON, zone="intranet")

    assert "allow_intranet" in refusal(inside, [OPEN])
    assert not checks(inside, OPEN)
    assert checks(msgspec.structs.replace(inside, allow_intranet=True), OPEN)


@given(
    st.builds(
        ReachSettings,
        enabled=st.booleans(),
        zone=st.sampled_from([None, *ZONES]),
        allow_intranet=st.booleans(),
        beacons=st.sampled_from([(), (PLACE,)]),
        trace_targets=st.sampled_from([(), ("203.0.113.80",)]),
    ),
    st.permutations([OPEN, SECRET]),
)
def test_from_a_classified_node_no_setting_allows_it(
    settings: ReachSettings, assets: list[DeclaredAsset]
) -> None:
    assert "classified" in refusal(settings, assets)


def test_a_classified_node_builds_no_source_that_asks() -> None:
    assert checks(ON, OPEN)
    assert not checks(ON, OPEN, SECRET)


def test_where_the_zone_is_not_said_or_nobody_is_named_it_is_refused() -> None:
    assert "zone" in refusal(msgspec.structs.replace(ON, zone=None), [])
    assert "no beacon" in refusal(msgspec.structs.replace(ON, beacons=()), [])
    assert refusal(ON, [OPEN]) == ""


def test_an_answer_with_our_nonce_and_the_named_key_is_believed() -> None:
    assert believed(answer(), PLACE, NONCE).address == "203.0.113.200"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (answer(nonce="cd" * 16), "another question"),
        (answer(key=Ed25519PrivateKey.generate()), "another key"),
        (answer(address="nowhere"), "nowhere"),
        (b"HTTP/1.1 200 OK\r\n", "none"),
        (b"", "none"),
    ],
    ids=["replayed", "forged", "no address", "no beacon", "nothing"],
)
def test_any_other_answer_is_not(line: bytes, why: str) -> None:
    with pytest.raises(ReachError, match=why):
        believed(line, PLACE, NONCE)


@given(st.integers(0, len(answer()) - 2), st.integers(0, 255))
def test_an_answer_with_any_byte_changed_is_not_believed_as_another(place: int, value: int) -> None:
    line = answer()
    changed = line[:place] + bytes([value]) + line[place + 1 :]
    with suppress(ReachError):
        assert believed(changed, PLACE, NONCE).address == "203.0.113.200"


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        await reader.read()
    writer.close()


async def endless(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"x" * 1_000_000)
    writer.close()


@pytest.mark.root
@pytest.mark.parametrize(("talk", "why"), [(silent, "no answer"), (endless, "at most")])
async def test_a_server_that_is_no_beacon_costs_a_bounded_time_and_space(
    talk: Talk, why: str, eventually: Callable[[Callable[[], object]], Awaitable[None]]
) -> None:
    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    place = BeaconSettings(address=f"127.0.0.1:{server.sockets[0].getsockname()[1]}", public_key=PUBLIC)

    with pytest.raises(ReachError, match=why):
        await ask(place, "lo", NONCE, 0.3)
    server.close()
    await server.wait_closed()
    await eventually(lambda: len(asyncio.all_tasks()) == 1)


async def test_a_link_that_is_gone_is_no_way() -> None:
    with pytest.raises(ReachError, match="gone0"):
        await ask(PLACE, "gone0", NONCE, 0.3)


def test_only_links_with_a_default_route_are_tried() -> None:
    def route(interface: str, gateway: str, default: str | None) -> dict[str, Any]:
        return {"interface": interface, "family": 4, "gateway": gateway, "default": default}

    body = {
        "routes": [route("eth0", "10.0.0.1", "full"), route("eth1", "10.1.0.1", None)],
        "gateways": [{"interface": "eth0", "address": "10.0.0.1", "mac": "02:00:00:00:00:01"}],
    }

    assert candidates(body) == (Way("eth0", 4, "02:00:00:00:00:01"),)


@pytest.mark.parametrize("target", ["203.0.113", "::1::2", "1.2.3.4.5", "2001:db8::/64"])
def test_a_target_that_is_no_address_is_refused_with_the_settings(target: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"trace_targets": [target]}, ReachSettings)


@pytest.mark.parametrize("place", ["203.0.113:80", "[::1::2]:80", "203.0.113.80:70000"])
def test_a_beacon_that_is_no_address_is_refused_with_the_settings(place: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"address": place, "public_key": PUBLIC}, BeaconSettings)


def test_a_beacons_place_is_written_as_the_kernel_writes_addresses() -> None:
    assert BeaconSettings(address="[2001:DB8:0::80]:81", public_key=PUBLIC).place == ("2001:db8::80", 81)
