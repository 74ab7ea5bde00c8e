"""Makes configs/documents/report.docx: the official form as an A4 table that a unit may replace by its own.

The fields are those of collector/documents/paper.py, written as docxtpl (Jinja) marks.
"""

import sys
from io import BytesIO
from pathlib import Path

from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor
from docx.table import Table, _Cell
from docx.text.paragraph import Paragraph

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from collector.documents.docx import settle  # noqa: E402 - a script puts the checkout on its path first

OUT = ROOT / "configs" / "documents" / "report.docx"


def write(cell: _Cell, text: str, *, bold: bool = False) -> None:
    """Put text into a cell's first paragraph."""
    run = cell.paragraphs[0].add_run(text)
    run.bold = bold


def number_pages(paragraph: Paragraph) -> None:
    """Let a paragraph say the page and how many there are, as the word processor counts them."""
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    for field, after in (("PAGE", " / "), ("NUMPAGES", "")):
        counted = OxmlElement("w:fldSimple")
        counted.set(qn("w:instr"), field)
        counted.append(OxmlElement("w:r"))
        shown = OxmlElement("w:t")
        shown.text = "1"
        counted[0].append(shown)
        paragraph._p.append(counted)  # noqa: SLF001 - the library has no word for fields
        paragraph.add_run(after)


def set_widths(table: Table, *widths: Cm) -> None:
    """Fix the columns: word processors go by the grid, others by the cells."""
    table.autofit = False
    for column, width in zip(table.columns, widths, strict=True):
        column.width = width
        for cell in column.cells:
            cell.width = width


def main() -> None:
    """Make the template."""
    document = Document()
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin = section.right_margin = Cm(2.7)
    style = document.styles["Normal"]
    style.font.name, style.font.size = "Times New Roman", Pt(11)
    style.element.rPr.rFonts.set(qn("w:eastAsia"), "仿宋")
    style.paragraph_format.space_before = style.paragraph_format.space_after = Pt(3)
    style.paragraph_format.line_spacing = 1.15
    number_pages(section.footer.paragraphs[0])
    title = document.add_paragraph()
    title.alignment = WD_ALIGN_PARAGRAPH.CENTER
    run = title.add_run("{{ title }}")
    run.bold, run.font.size = True, Pt(18)
    run.font.name = "Times New Roman"
    run.font.element.rPr.rFonts.set(qn("w:eastAsia"), "方正小标宋简体")

    head = document.add_table(rows=3, cols=2, style="Table Grid")
    write(head.rows[0].cells[0], "{%tr for row in rows %}")
    write(head.rows[1].cells[0], "{{ row.label }}", bold=True)
    write(head.rows[1].cells[1], "{{ row.value }}")
    write(head.rows[2].cells[0], "{%tr endfor %}")
    set_widths(head, Cm(3.6), Cm(12))

    document.add_paragraph("{%p for item in items_ %}")
    heading = document.add_paragraph()
    heading.add_run("{{ item.heading }}").bold = True
    heading.paragraph_format.space_before = Pt(10)
    heading.paragraph_format.keep_with_next = True
    document.add_paragraph("{%p for line in item.lines %}")
    document.add_paragraph("{{ line }}").paragraph_format.left_indent = Cm(0.8)
    document.add_paragraph("{%p endfor %}")
    document.add_paragraph("{%p if item.open %}")
    lacking = document.add_paragraph()
    lacking.paragraph_format.left_indent = Cm(0.8)
    lacking.add_run("{{ item.open }}").font.color.rgb = RGBColor(0x9B, 0x1C, 0x1C)  # as the PDF has it
    document.add_paragraph("{%p endif %}")
    document.add_paragraph("{%p endfor %}")
    sign = document.add_paragraph("{{ signature }}")
    sign.alignment, sign.paragraph_format.space_before = WD_ALIGN_PARAGRAPH.RIGHT, Pt(24)
    document.add_paragraph().add_run("{{ sources_title }}").bold = True
    document.add_paragraph("{%p for source in sources %}")
    small = document.add_paragraph()
    small.paragraph_format.space_before = small.paragraph_format.space_after = Pt(0)
    small.paragraph_format.line_spacing = 1
    small.add_run("{{ source }}").font.size = Pt(8)
    document.add_paragraph("{%p endfor %}")

    made = BytesIO()
    document.save(made)
    OUT.write_bytes(settle(made.getvalue()))


if __name__ == "__main__":
    main()
