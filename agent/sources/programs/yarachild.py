"""The child that scans: run by its path, with the standard library and yara-x alone, and killed at any time.

    argv      files of rules; what can't be compiled is named, the others hold
    stdin     a path a line, as a JSON text
    stdout    first {"rules": 7, "errors": [...]}; then a line a path: {"matches": [...]} or {"error": "..."}

It is no part of the agent's process: a rule without end, a file that breaks the library, and the memory both
take end with the child.
"""

import json
import os
import resource
import stat
import sys
from typing import Any

_NICE = 19
_SECONDS_A_FILE = 10
_MAX_BYTES = 32 * 1024 * 1024
_MAX_RULES = 4 * 1024 * 1024
_DATA = 512 * 1024 * 1024
_SHOWN = 200


def compiled(files: list[str]) -> tuple[Any, dict[str, Any]]:
    """Return a scanner and what there is to say of the rules; no scanner where yara-x is not installed."""
    try:
        import yara_x  # noqa: PLC0415 - it may be absent
    except ImportError as error:
        return None, {"absent": str(error)}
    compiler = yara_x.Compiler()
    errors = []
    for name in files:
        try:
            with open(name, "rb") as file:  # noqa: PTH123 - the child imports as little as it can
                source = file.read(_MAX_RULES).decode("utf-8")
            compiler.new_namespace(os.path.basename(name))  # noqa: PTH119 - likewise
            compiler.add_source(source, origin=name)
        except (OSError, ValueError, yara_x.CompileError) as error:
            errors.append({"file": name, "why": str(error)[:1000]})
    rules = compiler.build()
    scanner = yara_x.Scanner(rules)
    scanner.set_timeout(_SECONDS_A_FILE)
    return scanner, {"rules": sum(1 for _ in rules), "errors": errors}


def scan(scanner: Any, path: str) -> dict[str, Any]:  # noqa: ANN401 - a library that may be absent
    """Return what a file matches, or why it was not scanned."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb", buffering=0) as file:  # noqa: PTH123 - of a descriptor
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_size > _MAX_BYTES:
                return {"error": f"no file of at most {_MAX_BYTES} bytes"}
            found = scanner.scan(file.read(_MAX_BYTES))
    except Exception as error:  # noqa: BLE001 - a library's error ends one file, not the scan
        return {"error": f"{type(error).__name__}: {error}"[:_SHOWN]}
    return {"matches": [_match(rule) for rule in found.matching_rules][:20]}


def _match(rule: Any) -> dict[str, str]:  # noqa: ANN401 - likewise
    meta = {name: str(value)[:_SHOWN] for name, value in rule.metadata}
    given = {name: meta[name] for name in ("class", "severity", "description") if name in meta}
    return {"rule": rule.identifier[:_SHOWN], "file": rule.namespace[:_SHOWN], **given}


def main() -> None:
    """Serve until the input ends."""
    os.nice(_NICE)
    resource.setrlimit(resource.RLIMIT_DATA, (_DATA, _DATA))
    scanner, said = compiled(sys.argv[1:])
    _say(said)
    if scanner is None:
        return
    for line in sys.stdin:
        _say(scan(scanner, json.loads(line)))


def _say(value: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
