"""Evidence in pieces that prove themselves."""

import hashlib
from base64 import b64decode

import pytest
from cryptography.hazmat.primitives.hashes import SM3, Hash

from agent.actions.packing import CHUNK_BYTES, packed


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES])
def test_the_pieces_together_are_the_content_and_both_digests_prove_it(size: int) -> None:
    content = bytes(number % 251 for number in range(size))

    finished = packed("o1", "x.bin", content, ["x"])

    manifest, *pieces = finished.evidence
    whole = b"".join(b64decode(piece["data"]) for piece in pieces)
    sm3 = Hash(SM3())
    sm3.update(whole)
    assert whole == content
    assert (manifest["sha256"], manifest["sm3"]) == (hashlib.sha256(whole).hexdigest(), sm3.finalize().hex())
    assert [piece["chunk"] for piece in pieces] == list(range(manifest["chunks"]))
    assert finished.detail == manifest
