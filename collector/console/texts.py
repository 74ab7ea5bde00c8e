"""The console's sentences in two languages, and the templates that speak them.

English stands in the templates and in the code; `locale/zh/LC_MESSAGES/console.po` holds the Chinese. The
catalogue is compiled when the process starts: nothing has to be built, and no `.mo` can be
older than its `.po`.
"""

from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from jinja2 import Environment, FileSystemLoader, StrictUndefined

LANGUAGES = ("zh", "en")
TAGS = {"zh": "zh-CN", "en": "en"}
DOMAIN = "console"
_HERE = Path(__file__).parent


@cache
def catalogue(language: str) -> NullTranslations:
    """Return the sentences of a language; English is what stands in the code."""
    file = _HERE / "locale" / language / "LC_MESSAGES" / f"{DOMAIN}.po"
    if language == "en":
        return NullTranslations()
    with file.open("rb") as text:
        messages = read_po(text, locale=language, domain=DOMAIN)
    compiled = BytesIO()
    write_mo(compiled, messages)
    compiled.seek(0)
    return Translations(compiled, domain=DOMAIN)


@cache
def templates(language: str) -> Environment:
    """Return the templates in a language; everything they print is escaped."""
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        extensions=["jinja2.ext.i18n"],
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.install_gettext_translations(catalogue(language), newstyle=True)  # type: ignore[attr-defined]
    return environment
