"""Collectors share a state folder, a restore has it alone, and its mark keeps collectors out."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from collector.backups.occupied import MARK, Unfinished, exclusively, in_use, mark, unfinished, unmark
from collector.errors import PermanentError
from tests.collector.backups.yard import NINE


def test_collectors_run_beside_each_other_and_keep_a_restore_out(tmp_path: Path) -> None:
    with ExitStack() as stack:
        stack.enter_context(in_use(tmp_path))
        stack.enter_context(in_use(tmp_path))
        with pytest.raises(PermanentError, match="a collector runs here"), exclusively(tmp_path):
            pass
    with exclusively(tmp_path):
        pass


def test_a_restore_keeps_collectors_out(tmp_path: Path) -> None:
    with exclusively(tmp_path), pytest.raises(PermanentError, match="a restore is at work"), in_use(tmp_path):
        pass
    with in_use(tmp_path):
        pass


def test_a_mark_keeps_collectors_out_and_says_what_to_do(tmp_path: Path) -> None:
    mark(tmp_path, Unfinished(backup="/mnt/backup", begun_at=NINE))
    with pytest.raises(PermanentError, match="collector restore /mnt/backup"), in_use(tmp_path):
        pass
    unmark(tmp_path)
    assert unfinished(tmp_path) is None
    with in_use(tmp_path):
        pass


def test_a_damaged_mark_keeps_collectors_out_too(tmp_path: Path) -> None:
    (tmp_path / MARK).write_text("{")
    with pytest.raises(PermanentError, match="restore again"), in_use(tmp_path):
        pass
