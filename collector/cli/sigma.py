"""`sigma check`: which rules of some folders nodes can evaluate, and why the others are refused."""

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from .. import shipped
from ..classes import read_classes

if TYPE_CHECKING:
    from ..sigma import Loaded


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser("sigma", help="Sigma rules")
    parts = parser.add_subparsers(metavar="PART", required=True)
    check = parts.add_parser("check", help="say which rules load, and why others do not")
    check.add_argument(
        "folders", nargs="*", metavar="FOLDER", help="folders of rules; none: the shipped ones"
    )
    check.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(args: argparse.Namespace) -> int:
    """Check; 1 when a rule is refused or a folder is not there."""
    from ..sigma import load_rules  # noqa: PLC0415 - pySigma takes a quarter of a second

    zh = args.lang == "zh"
    folders = [Path(name) for name in args.folders] or [shipped.configs_dir() / "sigma"]
    absent = [folder for folder in folders if not folder.is_dir()]
    for folder in absent:
        why = "不是目录,应为规则文件所在目录" if zh else "is no folder; expected one that holds rules"
        print(f"{folder}: {why}", file=sys.stderr)
    if absent:
        return 1
    table = shipped.configs_dir() / "classes.yaml"
    loaded = load_rules(folders, read_classes(table.read_text("utf-8"), str(table)).by_code)
    if args.json:
        print(json.dumps(_document(loaded), ensure_ascii=False, indent=2))
    else:
        for one in loaded.refused:
            print(one)
        print(_summary(loaded, zh=zh), file=sys.stderr)
    return 1 if loaded.refused else 0


def _document(loaded: "Loaded") -> dict[str, object]:
    rules = [
        {"id": rule.id, "title": rule.title, "log": rule.log, "class": rule.incident_class}
        for rule in loaded.rules
    ]
    refused = [{"file": one.file, "rule": one.rule, "why": one.why} for one in loaded.refused]
    return {"loaded": len(rules), "rules": rules, "refused": refused}


def _summary(loaded: "Loaded", *, zh: bool) -> str:
    counts = sorted(Counter(rule.log for rule in loaded.rules).items())
    kinds = ", ".join(f"{log} {count}" for log, count in counts)
    good, bad = len(loaded.rules), len(loaded.refused)
    return (
        f"可用 {good} 条（{kinds}），拒绝 {bad} 条" if zh else f"{good} rules load ({kinds}), {bad} refused"
    )
