"""One job, one process."""

import subprocess
import sys
from pathlib import Path

import msgspec

from collector import shipped
from collector.documents.rendering import WRONG, Job
from collector.documents.worker import render
from tests.collector.documents.test_docx import PAPER

TEMPLATE = shipped.configs_dir() / "documents" / "report.docx"


def work(job: bytes) -> "subprocess.CompletedProcess[bytes]":
    command = [sys.executable, "-m", "collector.documents.worker"]
    root = Path(__file__).parents[3]
    return subprocess.run(command, input=job, capture_output=True, timeout=60, check=False, cwd=root)


def test_the_process_writes_the_document_and_nothing_else() -> None:
    job = Job(kind="docx", template=str(TEMPLATE), paper=PAPER)
    done = work(msgspec.json.encode(job))

    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == render(job)


def test_a_mistake_is_one_line_and_a_code_of_its_own() -> None:
    done = work(msgspec.json.encode(Job(kind="docx", template="/nowhere/report.docx", paper=PAPER)))

    assert (done.returncode, done.stdout) == (WRONG, b"")
    assert b"/nowhere/report.docx" in done.stderr
    assert b"\n" not in done.stderr
