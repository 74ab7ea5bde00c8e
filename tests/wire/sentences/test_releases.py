"""Why a release is not in use reads Chinese to who reads Chinese, and is English on the wire."""

import pytest

from wire.sentences import in_language


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("/opt/a/bin/pip could not install the bundle: timed out", "/opt/a/bin/pip 未能安装升级包：超时"),
        ("no collector answered the new release within 180 s.", "180 秒内没有采集端应答新版本。"),
    ],
)
def test_it_reads_chinese_with_its_values(english: str, chinese: str) -> None:
    assert in_language(english, "zh") == chinese
    assert in_language(english, "en") == english
