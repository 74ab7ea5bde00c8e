"""Renders one document in a process of its own: `python -m collector.documents.worker`.

What it reads from stdin is a `Job` as JSON, what it writes to stdout is the document; a mistake is one line
on stderr and exit code 2. The kernel bounds memory and processor time: a template is somebody else's program.
"""

import resource
import sys
from pathlib import Path
from typing import BinaryIO, TextIO

import msgspec

from .rendering import WRONG, Job

MEMORY = 2 * 1024**3
SECONDS = 20


def render(job: Job) -> bytes:
    """Return the document.

    Raises:
        Exception: Whatever template and values lead to.
    """
    if job.kind == "docx":
        from .docx import fill  # noqa: PLC0415 - half a second that only this process pays

        return fill(Path(job.template).read_bytes(), job.paper)
    from .pdf import print_paper  # noqa: PLC0415 - likewise

    return print_paper(Path(job.template), [Path(font) for font in job.fonts], job.paper)


def main(source: BinaryIO, out: BinaryIO, errors: TextIO) -> int:
    """Render what stdin asks for; return the exit code."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    job = msgspec.json.decode(source.read(), type=Job)
    try:
        document = render(job)
    except Exception as error:  # noqa: BLE001 - the edge of a process that does nothing else
        errors.write(f"{type(error).__name__}: {error}".replace("\n", " ")[:2000])
        return WRONG
    out.write(document)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.stdin.buffer, sys.stdout.buffer, sys.stderr))
