"""Bodies that can't be taken are refused by reason and status, before anything large is unpacked."""

import gzip
import json
import subprocess
import sys

import msgspec
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from wire import codec
from wire.codec import COMPRESS_FROM, MAX_PACKED, MAX_PLAIN, Codec, WireError, encode, pack, unpack
from wire.messages import VERSION, Ack, Batch

BATCH = {
    "version": VERSION,
    "epoch": "e",
    "after": 0,
    "after_id": "",
    "sent_at": "2026-03-02T09:10:00+08:00",
    "reports": [
        {
            "id": "r1",
            "seq": 1,
            "kind": "asset",
            "source": "asset",
            "observed_at": "2026-03-02T09:10:00+08:00",
            "boot_id": "b",
            "monotonic": 1.5,
            "body": {"a": 1},
        }
    ],
}


def refused(body: bytes, encoding: str = "zstd") -> tuple[str, int]:
    with pytest.raises(WireError) as caught:
        unpack(body, encoding)
    return caught.value.reason, caught.value.status


@given(st.binary(max_size=5000))
def test_what_is_packed_unpacks_to_itself(plain: bytes) -> None:
    assert unpack(*pack(plain)) == plain


def test_small_bodies_travel_as_they_are() -> None:
    assert pack(b"x" * (COMPRESS_FROM - 1))[1] == "identity"
    assert pack(b"x" * COMPRESS_FROM)[1] == "zstd"


def test_a_body_too_large_before_unpacking_is_refused() -> None:
    assert refused(b"x" * (MAX_PACKED + 1), "identity") == ("oversize", 413)


def test_a_body_too_large_after_unpacking_is_refused_unread() -> None:
    assert refused(zstandard.compress(bytes(MAX_PLAIN + 1))) == ("oversize", 413)


def test_a_frame_that_hides_its_size_is_refused() -> None:
    packer = zstandard.ZstdCompressor().compressobj()

    assert refused(packer.compress(b"z" * 5000) + packer.flush()) == ("malformed", 400)


@given(st.data())
def test_a_truncated_or_prolonged_frame_is_refused(data: st.DataObject) -> None:
    frame = zstandard.compress(b"report " * 400)
    cut = data.draw(st.integers(0, len(frame) - 1))

    assert refused(frame[:cut]) == ("malformed", 400)
    assert refused(frame + b"x") == ("malformed", 400)


@given(st.binary(max_size=300))
def test_garbage_is_refused_and_never_crashes(garbage: bytes) -> None:
    assert refused(garbage)[1] in {400, 413}


def test_an_unknown_encoding_is_named() -> None:
    assert refused(b"", "br") == ("encoding", 415)


def test_an_unknown_version_is_refused_even_where_all_else_differs() -> None:
    codec = Codec(Batch)
    for body in ({"version": 9}, BATCH | {"version": 2}):
        with pytest.raises(WireError, match="message version is") as caught:
            codec.decode(json.dumps(body).encode())

        assert (caught.value.reason, caught.value.status) == ("version", 426)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'{"version":1}', b"[" * 5000])
def test_a_malformed_body_is_refused_with_its_place(body: bytes) -> None:
    with pytest.raises(WireError) as caught:
        Codec(Batch).decode(body)

    assert (caught.value.reason, caught.value.status) == ("malformed", 400)


def test_unknown_fields_are_ignored_so_that_old_and_new_peers_talk() -> None:
    batch = Codec(Batch).decode(json.dumps(BATCH | {"newer": 1}).encode())

    assert batch.reports[0].body == msgspec.Raw(b'{"a": 1}')
    assert Codec(Batch).decode(encode(batch)) == batch


def test_every_message_carries_the_version() -> None:
    assert Ack.__struct_fields__[0] == Batch.__struct_fields__[0] == "version"


def test_without_zstandard_a_body_goes_as_gzip_and_every_side_takes_it() -> None:
    """In a process of its own in which the package can't be imported."""
    code = (
        "import sys; sys.modules['zstandard'] = None\n"
        "from wire import codec\n"
        "body, encoding = codec.pack(b'x' * 5000)\n"
        "assert codec.unpack(body, encoding) == b'x' * 5000\n"
        "try: codec.unpack(b'x', 'zstd')\n"
        "except codec.WireError as error: assert error.status == 415\n"
        "sys.stdout.buffer.write(encoding.encode() + b' ' + body)\n"
    )
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=60).stdout

    encoding, _, body = out.partition(b" ")
    assert (encoding, codec.unpack(body, "gzip")) == (b"gzip", b"x" * 5000)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (gzip.compress(b"x" * (codec.MAX_PLAIN + 1), mtime=0), "oversize"),
        (gzip.compress(b"{}", mtime=0)[:-4], "malformed"),
        (gzip.compress(b"{}", mtime=0) + b"more", "malformed"),
        (b"no gzip", "malformed"),
    ],
)
def test_a_gzip_body_that_is_a_bomb_or_damaged_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(codec.WireError) as caught:
        codec.unpack(body, "gzip")

    assert caught.value.reason == reason
