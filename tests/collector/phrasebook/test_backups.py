"""What a look at a backup finds reads Chinese."""

import asyncio
from pathlib import Path

import pytest

from collector.backups import check
from collector.cli.telling import told
from collector.errors import PermanentError
from tests.collector.backups.conftest import yard
from tests.collector.backups.yard import Yard, quiet

__all__ = ["yard"]


def test_faults_are_told(yard: Yard, tmp_path: Path) -> None:
    asyncio.run(yard.backed_up(tmp_path / "b"))
    (tmp_path / "b" / "state" / "ca.key").unlink()
    (tmp_path / "b" / "databases" / "events.db").write_bytes(b"x")
    faults = asyncio.run(check(tmp_path / "b", quiet)).faults

    said = [told(PermanentError(fault), "zh") for fault in faults]
    assert said[0].startswith("databases/events.db：1 字节，应为 ")
    assert said[1] == "state/ca.key：没有此文件或目录"


def test_a_folder_that_is_no_backup_is_told(tmp_path: Path) -> None:
    with pytest.raises(PermanentError) as caught:
        asyncio.run(check(tmp_path, quiet))
    assert told(caught.value, "zh").endswith("请指定 `fengsui-collector backup` 所建的目录")
