"""Documents as files: data by our own hand, paper by a worker process bounded in time, size and number."""

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from .. import shipped
from ..errors import PermanentError
from ..statement import Statement
from ..store.clocks import Clock
from .iodef import iodef
from .material import Material
from .ocsf import ocsf
from .paper import paper

MEDIA = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pdf": "application/pdf",
    "iodef": "application/json",
    "ocsf": "application/json",
}
"""The kinds of documents, and the media type of each."""
WRONG = 2
"""Exit code of a worker whose template or values are wrong."""
SECONDS = 30.0
AT_ONCE = 2
MAX_BYTES = 32 * 1024 * 1024
_DATA: dict[str, Callable[[Material, Statement, str], dict[str, Any]]] = {"iodef": iodef, "ocsf": ocsf}
_TEMPLATES = {"docx": "report.docx", "pdf": "report.typ"}


class Job(Struct, frozen=True, kw_only=True):
    """What to render: `docx` or `pdf`, with which template and fonts, of which paper."""

    kind: str
    template: str
    fonts: tuple[str, ...] = ()
    paper: dict[str, Any]


class RenderingError(PermanentError):
    """A document cannot be made; the text says why and what to do."""


class Renderer:
    """Renders documents.

    Args:
        folder: The unit's own folder with `report.docx`, `report.typ` and fonts; empty: the shipped ones.
        seconds: How long one document may take.
    """

    def __init__(self, folder: Callable[[], str], seconds: float = SECONDS) -> None:
        self._folder = folder
        self._seconds = seconds
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def render(
        self, kind: str, material: Material, clock: Clock, said: Statement, language: str
    ) -> bytes:
        """Return a document of a kind of `MEDIA`.

        Raises:
            RenderingError: The template is wrong, the fonts lack a character, or it takes too much.
        """
        if kind in _DATA:
            return data(_DATA[kind](material, said, language))
        return await self.print_paper(kind, paper(material, clock, said, language))

    async def print_paper(self, kind: str, values: dict[str, Any]) -> bytes:
        """Return a paper as `docx` or `pdf`, set out by the unit's template.

        Raises:
            RenderingError: The template is wrong, the fonts lack a character, or it takes too much.
        """
        job = Job(
            kind=kind,
            template=str(self._file(_TEMPLATES[kind])),
            fonts=tuple(map(str, self._fonts())) if kind == "pdf" else (),
            paper=values,
        )
        async with self._turn:
            return await self._work(job)

    async def _work(self, job: Job) -> bytes:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            f"{__package__}.worker",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                "PYTHONHASHSEED": "0",
                "LC_ALL": "C.UTF-8",
            },
        )
        try:
            async with asyncio.timeout(self._seconds):
                out, errors = await process.communicate(msgspec.json.encode(job))
        except TimeoutError:
            raise RenderingError(f"{job.kind}: took more than {self._seconds:g} seconds") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode == WRONG:
            raise RenderingError(f"{job.kind} by {job.template}: {errors.decode('utf-8', 'replace')}")
        if process.returncode != 0 or not 0 < len(out) <= MAX_BYTES:
            raise RenderingError(
                f"{job.kind}: the worker ended with {process.returncode} and {len(out)} bytes"
            )
        return out

    def _file(self, name: str) -> Path:
        own = Path(self._folder()) / name if self._folder() else None
        return own if own and own.is_file() else shipped.configs_dir() / "documents" / name

    def _fonts(self) -> list[Path]:
        folders = [shipped.configs_dir() / "documents" / "fonts"]
        folders += [Path(self._folder())] if self._folder() else []
        return [
            file
            for folder in folders
            for file in sorted(folder.iterdir())
            if file.suffix.lower() in {".otf", ".ttf", ".ttc"}
        ]


def data(document: dict[str, Any]) -> bytes:
    r"""Return a document of data as JSON, the same bytes each time.

    >>> data({"b": 1, "a": "字"}).split()
    [b'{', b'"a":', b'"\xe5\xad\x97",', b'"b":', b'1', b'}']
    """
    return msgspec.json.format(msgspec.json.encode(document, order="sorted"), indent=2)
