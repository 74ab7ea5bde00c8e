"""Reads folders of Sigma rules: every rule is in the program, or refused with its file and the reason.

A rule of a later folder replaces one of the same id; its event must be one that nodes tell (`wire.program`).
"""

import uuid
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import yaml
from msgspec import Struct
from sigma.collection import SigmaCollection
from sigma.correlations import SigmaCorrelationRule
from sigma.exceptions import SigmaError
from sigma.rule import SigmaRule

from wire.program import Log, Rule, checked

from .lower import LoweringError, any_of, lower
from .meaning import OWN_CLASS, class_of, severity_of

MAX_FILES = 20_000
MAX_BYTES = 256 * 1024
_MAX_ALIASES = 64
_MAX_DEPTH = 40
_CATEGORIES: dict[str, Log] = {
    "process_creation": "process",
    "file_event": "file",
    "network_connection": "network",
}
# pySigma expects mappings and lists where rules have them; any text may have something else there.
_ANY_TEXT = (
    OSError, yaml.YAMLError, ValueError, RecursionError, AttributeError, TypeError, KeyError, IndexError,
)  # fmt: skip
_NAMESPACE = uuid.UUID("6f1c7a54-52a5-4d5f-9a55-1f6e2d0b7c11")


class Refused(Struct, frozen=True, order=True):
    """A rule that is not in the program: where it stands, which it is, and why."""

    file: str
    rule: str
    why: str

    def __str__(self) -> str:
        return f"{self.file}: {self.rule or '$'}: {self.why}"


class Loaded(Struct, frozen=True):
    """What came of some folders: rules by id in the order of their files, and what was refused."""

    rules: tuple[Rule, ...]
    refused: tuple[Refused, ...]


def load_rules(folders: Sequence[Path], classes: Collection[str]) -> Loaded:
    """Read every rule below some folders.

    Args:
        folders: Later ones replace rules of earlier ones.
        classes: Codes of the incident classes' table.
    """
    rules: dict[str, Rule] = {}
    refused: list[Refused] = []
    for path in _files(folders, refused):
        for sigma in _read(path, refused):
            try:
                rule = _rule(sigma, path, classes)
            except (SigmaError, *_ANY_TEXT) as error:
                refused.append(Refused(str(path), _name(sigma), _why(error)))
            else:
                rules[rule.id] = rule
    return Loaded(tuple(rules.values()), tuple(sorted(refused)))


def _files(folders: Sequence[Path], refused: list[Refused]) -> Iterator[Path]:
    seen = 0
    for folder in folders:
        found = (path for path in sorted(folder.rglob("*")) if path.suffix in {".yml", ".yaml"})
        for path in found:
            seen += 1
            if seen > MAX_FILES:
                refused.append(Refused(str(folder), "", f"more than {MAX_FILES} files, the rest is not read"))
                return
            if path.is_file():
                yield path


def _read(path: Path, refused: list[Refused]) -> list[SigmaRule | SigmaCorrelationRule]:
    try:
        text = _text(path)
        found = SigmaCollection.from_yaml(text, collect_errors=True, resolve_references=False)
    except _ANY_TEXT as error:
        refused.append(Refused(str(path), "", _why(error)))
        return []
    rules: list[SigmaRule | SigmaCorrelationRule] = []
    for rule in found.rules:
        if rule.errors:
            why = "; ".join(_why(error) for error in rule.errors)
            refused.append(Refused(str(path), _name(rule), why))
        elif isinstance(rule, SigmaRule | SigmaCorrelationRule):
            rules.append(rule)
    refused += [Refused(str(path), "", _why(error)) for error in found.errors]
    if not found.rules and not found.errors:
        refused.append(Refused(str(path), "", "no rule stands in it"))
    return rules


def _text(path: Path) -> str:
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise LoweringError(f"the file has more than {MAX_BYTES} bytes")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise LoweringError(f"not UTF-8 text (byte {error.start})") from None
    aliases = depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        aliases += isinstance(event, yaml.AliasEvent)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _MAX_DEPTH:
            raise LoweringError(f"more than {_MAX_DEPTH} levels")
    if aliases > _MAX_ALIASES:
        raise LoweringError(f"{aliases} aliases, expected at most {_MAX_ALIASES}: each may stand for much")
    return text


def _rule(sigma: SigmaRule | SigmaCorrelationRule, path: Path, classes: Collection[str]) -> Rule:
    if isinstance(sigma, SigmaCorrelationRule):
        raise LoweringError("a correlation: nodes evaluate single events")
    log, service = _log(sigma)
    parsed = [condition.parsed for condition in sigma.detection.parsed_condition]
    when = any_of([lower(condition, log) for condition in parsed])
    for _ in checked(when):
        pass
    own = sigma.custom_attributes or {}
    return Rule(
        id=str(sigma.id or uuid.uuid5(_NAMESPACE, f"{path.name}/{sigma.title}")),
        title=str(sigma.title)[:256],
        title_zh=str(own.get("title_zh", ""))[:256],
        incident_class=class_of(map(str, sigma.tags), own.get(OWN_CLASS), classes),
        severity=severity_of(sigma.level.name if sigma.level else None),
        log=log,
        service=service,
        when=when,
    )


def _log(sigma: SigmaRule) -> tuple[Log, str]:
    """Return which events a rule looks at, and of lines, whose."""
    source = sigma.logsource
    if source.product not in {None, "linux"}:
        raise LoweringError(f"logsource.product {source.product!r}: nodes are Linux hosts")
    if source.category:
        if source.category not in _CATEGORIES:
            known = ", ".join(_CATEGORIES)
            raise LoweringError(f"logsource.category {source.category!r}: nodes tell {known}")
        return _CATEGORIES[source.category], ""
    if source.service == "auditd":
        return "auditd", ""
    # `syslog` is what lines are written to, and no service of its own.
    return "line", "" if source.service in {None, "syslog"} else str(source.service)


def _name(rule: object) -> str:
    return str(getattr(rule, "title", "") or getattr(rule, "id", "") or "")[:200]


def _why(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "conditions lie too deep in each other"
    text = str(error.args[0]) if isinstance(error, SigmaError) and error.args else str(error)
    return " ".join(text.split())[:400] or type(error).__name__
