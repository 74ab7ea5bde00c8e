"""Fills a unit's own Word template; the same values give the same bytes. Runs in the worker process only."""

from collections.abc import Mapping
from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from docx.enum.text import WD_ALIGN_PARAGRAPH
from docxtpl import DocxTemplate
from jinja2.sandbox import SandboxedEnvironment

_WHEN = (2000, 1, 1, 0, 0, 0)
_MADE = datetime(2000, 1, 1, tzinfo=UTC)


def fill(template: bytes, values: Mapping[str, Any]) -> bytes:
    """Return the document.

    Args:
        template: A .docx with the fields of `paper`; Jinja in it runs in a sandbox.
        values: The paper; text in it stays text.

    Raises:
        Exception: The template is none, or asks for what is not there.
    """
    document = DocxTemplate(BytesIO(template))
    document.init_docx()
    if mark := str(values.get("mark", "")):
        _mark(
            document, mark
        )  # before it is filled: a head or foot that was filled is no longer the library's own
    document.render(dict(values), jinja_env=SandboxedEnvironment(autoescape=True), autoescape=True)
    properties = document.docx.core_properties
    properties.title = str(values.get("title", ""))
    properties.created = properties.modified = _MADE
    properties.revision = 1
    filled = BytesIO()
    document.save(filled)
    return settle(filled.getvalue())


def _mark(document: DocxTemplate, mark: str) -> None:
    """Put the mark at the head and the foot of every page, whatever the template looks like."""
    for section in document.docx.sections:
        for part in (section.header, section.footer):
            part.is_linked_to_previous = False
            line = part.paragraphs[0] if part.paragraphs else part.add_paragraph()
            line.insert_paragraph_before(mark).alignment = WD_ALIGN_PARAGRAPH.CENTER


def settle(archive: bytes) -> bytes:
    """Return a ZIP archive with the same files in a fixed order and with a fixed time."""
    out = BytesIO()
    with ZipFile(BytesIO(archive)) as old, ZipFile(out, "w") as new:
        for name in sorted(old.namelist(), key=lambda name: (name != "[Content_Types].xml", name)):
            entry = ZipInfo(name, date_time=_WHEN)
            entry.compress_type = ZIP_DEFLATED
            entry.external_attr = 0o600 << 16
            new.writestr(entry, old.read(name))
    return out.getvalue()
