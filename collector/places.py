"""Templates with typed places, as operators write them for a gateway: values are put in, nothing is run.

A place is `{name}` or, for text, `{name:length}`; a brace itself is written twice. What a value may be is
told by its place: a phone number is digits, a time is a whole number of seconds, a text is cut to its length.

>>> template = {"to": ["{phone}"], "msg": "[Fengsui] {text:9}", "at": "{time}"}
>>> filled = fill(template, {"phone": "+86 138-0000-0000", "text": "page tampered with", "time": 1772413200})
>>> filled == {"to": ["+8613800000000"], "msg": "[Fengsui] page tam…", "at": 1772413200}
True
>>> [str(mistake[1]) for mistake in mistakes_of({"to": "{fone} {", "n": "{time:3}"})]
["'{fone}'", "'{'", "'{time:3}'"]
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

_PLACE = re.compile(r"\{\{|\}\}|\{([a-z]+)(?::([0-9]{1,4}))?\}|\{[^{}]*\}|[{}]")
_PHONE = re.compile(r"\+?[0-9]{3,20}")
_TEXTS = ("text", "subject")
NAMES = ("phone", "text", "subject", "key", "secret", "time")
EXPECTED = (
    "a place {phone}, {text}, {subject}, {key}, {secret} or {time}; {text:70} is cut; a brace is doubled"
)


def phone(text: str) -> str:
    """Return a phone number without what people put between digits.

    Raises:
        ValueError: It is no phone number.
    """
    number = re.sub(r"[\s().-]", "", text)
    if not _PHONE.fullmatch(number):
        raise ValueError("the address is no phone number: 3 to 20 digits, a + before them or not")
    return number


def mistakes_of(template: object, path: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield path, what was found and what was expected of everything that is no place."""
    if isinstance(template, Mapping):
        for name, part in template.items():
            yield from mistakes_of(part, f"{path}.{name}" if path else str(name))
    elif isinstance(template, list | tuple):
        for number, part in enumerate(template):
            yield from mistakes_of(part, f"{path}[{number}]")
    elif isinstance(template, str):
        for match in _PLACE.finditer(template):
            name, length = match.groups()
            known = name in NAMES and (length is None or name in _TEXTS)
            if match.group() not in {"{{", "}}"} and not known:
                yield path, repr(match.group()), EXPECTED


def fill(template: Any, values: Mapping[str, str | int]) -> Any:  # noqa: ANN401 - JSON
    """Return a template with its places filled; a lone `{time}` stays a number.

    Raises:
        ValueError: A value is not what its place is for.
    """
    if isinstance(template, Mapping):
        return {name: fill(part, values) for name, part in template.items()}
    if isinstance(template, list | tuple):
        return [fill(part, values) for part in template]
    if template == "{time}":
        return int(values["time"])
    if isinstance(template, str):
        return _PLACE.sub(lambda match: _value(match, values), template)
    return template


def _value(match: re.Match[str], values: Mapping[str, str | int]) -> str:
    name, length = match.groups()
    if name is None:
        return match.group()[0]
    text = str(values[name])
    if name == "phone":
        return phone(text)
    if length is not None and len(text) > int(length):
        return text[: max(int(length) - 1, 0)] + "…"
    return text
