from pathlib import Path

import pytest

from collector.errors import PermanentError
from collector.trust.secret_files import MAX_BYTES, read_secret


def test_a_secret_is_read_without_the_line_end_an_editor_adds(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_bytes(b"  s3cret \n")
    file.chmod(0o640)

    assert read_secret(str(file)) == b"s3cret"


@pytest.mark.parametrize("mode", [0o604, 0o644, 0o602, 0o620])
def test_a_file_that_others_may_read_or_change_is_no_secret(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "secret"
    file.write_bytes(b"s3cret")
    file.chmod(mode)
    with pytest.raises(PermanentError, match=f"found mode {mode:04o}"):
        read_secret(str(file))


@pytest.mark.parametrize("content", [b"", b" \n", b"x" * (MAX_BYTES + 1)])
def test_nothing_and_too_much_are_no_secret(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "secret"
    file.touch(0o600)
    file.write_bytes(content)
    with pytest.raises(PermanentError, match="expected 1 to"):
        read_secret(str(file))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="gone: secret: No such file"):
        read_secret(str(tmp_path / "gone"))
