"""Which language a command speaks, when several voices say something."""

import pytest

from wire.language import spoken


@pytest.mark.parametrize(
    ("asked", "environment", "settings", "language"),
    [
        ("en", {"FENGSUI_LANG": "zh", "LANG": "zh_CN.UTF-8"}, "zh", "en"),
        ("zh", {"FENGSUI_LANG": "en"}, "en", "zh"),
        (None, {"FENGSUI_LANG": "zh", "LANG": "C"}, "en", "zh"),
        (None, {"LANG": "zh_CN.UTF-8"}, "en", "en"),
        (None, {"LANG": "C.UTF-8"}, "zh", "zh"),
        (None, {"LANG": "zh_CN.UTF-8"}, None, "zh"),
        (None, {"LC_ALL": "C", "LANG": "zh_CN.UTF-8"}, None, "en"),
        (None, {"LC_ALL": "", "LC_MESSAGES": "zh_TW", "LANG": "C"}, None, "zh"),
        (None, {"LANG": "de_DE.UTF-8"}, None, "en"),
        (None, {}, None, "en"),
    ],
)
def test_the_command_line_wins_then_the_environment_then_the_settings_then_the_locale(
    asked: str | None, environment: dict[str, str], settings: str | None, language: str
) -> None:
    assert spoken(asked, environment, settings) == language
