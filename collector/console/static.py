"""The files a page needs, held in memory under names that change with their content."""

import mimetypes
from hashlib import sha256
from pathlib import Path

from aiohttp import web
from msgspec import Struct

_HERE = Path(__file__).parent / "static"
_KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_FOREVER = "public, max-age=31536000, immutable"


class File(Struct, frozen=True):
    """One file: its bytes, kind and the start of its hash."""

    body: bytes
    kind: str
    mark: str


class Files:
    """All static files, read once."""

    def __init__(self, folder: Path = _HERE) -> None:
        self._files = {
            path.relative_to(folder).as_posix(): _read(path) for path in folder.rglob("*") if path.is_file()
        }

    def url(self, name: str) -> str:
        """Return a file's address; its mark changes with the content, so it may be kept for ever."""
        return f"/static/{name}?{self._files[name].mark}"

    async def serve(self, request: web.Request) -> web.Response:
        """Answer a file of ours; nothing else of the disk can be reached."""
        file = self._files.get(request.match_info["name"])
        if file is None:
            raise web.HTTPNotFound
        kept = _FOREVER if request.query_string == file.mark else "no-cache"
        return web.Response(body=file.body, content_type=file.kind, headers={"Cache-Control": kept})


def _read(path: Path) -> File:
    body = path.read_bytes()
    kind = _KINDS.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "text/plain"
    return File(body, kind, sha256(body).hexdigest()[:12])
