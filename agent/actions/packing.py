"""Evidence as reports: a manifest with two digests, then the content in pieces.

Each piece is a report of its own in the outbox: a line that breaks costs the piece in flight, and what has
arrived is not sent again. Whoever has all of them proves them by the manifest, which is in the outcome too.
"""

import hashlib
import socket
from base64 import b64encode

from cryptography.hazmat.primitives.hashes import SM3, Hash

from .port import Finished

# 96 KiB are 128 KiB in base64.
CHUNK_BYTES = 96 * 1024


def packed(order: str, name: str, content: bytes, items: list[str]) -> Finished:
    """Return content as an order's evidence.

    Args:
        order: The order's id.
        name: What it is called when it is exported.
        content: Its bytes.
        items: What is in it, for people.
    """
    sm3 = Hash(SM3())
    sm3.update(content)
    chunks = [content[start : start + CHUNK_BYTES] for start in range(0, len(content), CHUNK_BYTES)]
    manifest = {
        "order": order,
        "name": name,
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "sm3": sm3.finalize().hex(),
        "chunks": len(chunks),
        "items": items,
        "host": socket.gethostname(),
    }
    pieces = (
        {"order": order, "name": name, "chunk": number, "data": b64encode(chunk).decode("ascii")}
        for number, chunk in enumerate(chunks)
    )
    return Finished(detail=manifest, evidence=(manifest, *pieces))
