"""What signing releases refuses reads Chinese."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from collector.cli.telling import told
from collector.trust.release_keys import Keys, ReleasesError
from collector.trust.releases import Releases

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


def test_too_few_keys_are_told(tmp_path: Path) -> None:
    Releases(tmp_path / "mirror", NOW).begin(Keys(tmp_path / "keys"), makers=2, threshold=2)
    (tmp_path / "none").mkdir()
    with pytest.raises(ReleasesError) as caught:
        Releases(tmp_path / "mirror", NOW).renew_root(Keys(tmp_path / "none"))
    assert told(caught.value, "zh") == "root：找到其密钥 0 把，应有 2 把；请带上其余密钥文件"


def test_a_word_that_has_ended_is_told(tmp_path: Path) -> None:
    Releases(tmp_path / "mirror", NOW).begin(Keys(tmp_path / "keys"), makers=1, threshold=1)
    with pytest.raises(ReleasesError) as caught:
        Releases(tmp_path / "mirror", NOW.replace(year=2036)).check()
    assert "的有效期止于" in told(caught.value, "zh")
