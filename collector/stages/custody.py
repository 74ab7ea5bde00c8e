"""Takes evidence that answers an order into custody; see `store/evidence.py`.

What answers no order of its node, or is larger than any pack, raises nothing: it is no fault of ours and no
report worth keeping, so it is written down in the journal and ends here.
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from ..store import journal
from ..store.evidence import Manifest, keep_chunk, keep_manifest
from .port import Item

MAX_CHUNKS = 256
MAX_CHUNK_BYTES = 128 * 1024
MAX_BYTES = MAX_CHUNKS * MAX_CHUNK_BYTES
_Digest = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class _Manifest(Struct, frozen=True):
    order: Annotated[str, Meta(max_length=64)]
    name: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
    size: Annotated[int, Meta(ge=0, le=MAX_BYTES)]
    sha256: _Digest
    sm3: _Digest
    chunks: Annotated[int, Meta(ge=0, le=MAX_CHUNKS)]
    items: Annotated[list[Annotated[str, Meta(max_length=300)]], Meta(max_length=100)] = []
    host: Annotated[str, Meta(max_length=256)] = ""


class _Chunk(Struct, frozen=True):
    order: Annotated[str, Meta(max_length=64)]
    chunk: Annotated[int, Meta(ge=0, lt=MAX_CHUNKS)]
    data: Annotated[bytes, Meta(max_length=MAX_CHUNK_BYTES)]


class Custody:
    """Seventh stage."""

    name = "custody"

    async def apply(self, conn: AsyncConnection, item: Item) -> Item | None:
        """Keep a manifest or a piece of a pack."""
        if item.kind != "evidence":
            return item
        assert isinstance(item.body, dict)  # noqa: S101 - bodies of this kind are read as JSON
        why = await self._keep(conn, item, item.body)
        if why:
            detail = {"finding": "evidence_refused", "why": why[:300], "report": item.id}
            entry = journal.Entry(
                actor=f"node:{item.node.id}",
                action="audit.finding",
                subject=f"node:{item.node.id}",
                detail=detail,
            )
            await journal.write(conn, entry, item.now)
        return None

    async def _keep(self, conn: AsyncConnection, item: Item, body: dict[str, Any]) -> str:
        """Keep it; return why not, or an empty text."""
        node = item.node
        try:
            if "data" in body:
                piece = msgspec.convert(body, _Chunk)
                kept = await keep_chunk(
                    conn, piece.order, piece.chunk, piece.data, node=node.id, now=item.now
                )
            else:
                manifest = msgspec.convert(msgspec.to_builtins(msgspec.convert(body, _Manifest)), Manifest)
                kept = await keep_manifest(conn, manifest, node=node.id, unit=node.unit, now=item.now)
        except msgspec.ValidationError as error:
            return str(error)
        return "" if kept else f"it answers no order of this node: {str(body.get('order'))[:64]!r}"
