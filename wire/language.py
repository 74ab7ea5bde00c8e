"""Which language a command speaks: one rule for both wings.

What is asked on the command line wins over the environment, that over the settings a command works with, and
where nobody said anything the host's own locale decides:

>>> spoken("en", {"FENGSUI_LANG": "zh"}, "zh"), spoken(None, {"FENGSUI_LANG": "zh"}, "en")
('en', 'zh')
>>> spoken(None, {"LANG": "zh_CN.UTF-8"}, "en"), spoken(None, {"LANG": "zh_CN.UTF-8"}), spoken(None, {})
('en', 'zh', 'en')
"""

from collections.abc import Mapping
from typing import Literal, TypeAlias

Language: TypeAlias = Literal["zh", "en"]
_LOCALE = ("LC_ALL", "LC_MESSAGES", "LANG")  # in the order in which POSIX lets them win


def spoken(asked: str | None, environment: Mapping[str, str], settings: str | None = None) -> Language:
    """Return the language of texts for people.

    Args:
        asked: `--lang`, where it was given.
        environment: The process's; `FENGSUI_LANG`, then the locale's variables.
        settings: `language` of the settings file, where one was read.
    """
    locale = next((environment[name] for name in _LOCALE if environment.get(name)), "")
    wanted = asked or environment.get("FENGSUI_LANG") or settings or locale
    return "zh" if wanted.startswith("zh") else "en"
