"""The plans in force: every YAML file of the playbook folders, checked; a broken one stops no other."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from ..plans import Finding, Plan, examine
from ..plans.calls import circles
from ..yaml_marks import Mistake

ENDINGS = (".yaml", ".yml")
MAX_BYTES = 1_000_000


class Shelf(Struct, frozen=True):
    """Plans by id, and what was found in all files, warnings too."""

    plans: Mapping[str, Plan]
    findings: Sequence[Finding]

    @property
    def errors(self) -> list[Mistake]:
        """What keeps a plan off the shelf."""
        return [finding.mistake for finding in self.findings if finding.severity == "error"]


def read_playbooks(folders: Sequence[Path], *, owed: Mapping[str, frozenset[str]] | None = None) -> Shelf:
    """Read the plans of folders; a file in a later folder stands for the one of the same id before it."""
    files = {
        path.stem: path for folder in folders for path in sorted(folder.glob("*")) if path.suffix in ENDINGS
    }
    plans: dict[str, Plan] = {}
    findings: list[Finding] = []
    for name, path in sorted(files.items()):
        text, found = read_text(path)
        if text is not None:
            examined = examine(text, str(path), plans=files, owed=owed)
            found = [*found, *examined.findings, *_misnamed(examined.plan, name, path)]
            if examined.plan is not None and not any(each.severity == "error" for each in found):
                plans[name] = examined.plan
        findings += found
    for name in [name for name, plan in plans.items() if any(circles(plan, plans))]:
        text, _ = read_text(files[name])
        findings += examine(text or "", str(files[name]), plans=files, bodies=plans).findings
    circular = {Path(each.mistake.file).stem for each in findings if each.severity == "error"}
    return Shelf({name: plan for name, plan in plans.items() if name not in circular}, findings)


def read_text(path: Path) -> tuple[str | None, list[Finding]]:
    """Return a file's text, or why there is none."""
    try:
        if path.stat().st_size > MAX_BYTES:
            return None, [_of_file(path, "a file above the limit", f"at most {MAX_BYTES} bytes")]
        return path.read_text("utf-8"), []
    except UnicodeDecodeError as error:
        return None, [_of_file(path, f"bytes that are not UTF-8 ({error.reason})", "UTF-8 text")]
    except OSError as error:
        return None, [_of_file(path, f"no readable file ({error.strerror})", "a plan's file")]


def _misnamed(plan: Plan | None, name: str, path: Path) -> list[Finding]:
    if plan is None or plan.id == name:
        return []
    return [_of_file(path, f"the id {plan.id!r}", f"the file's name {name!r} as the plan's id")]


def _of_file(path: Path, found: str, expected: str) -> Finding:
    return Finding("error", Mistake(str(path), 1, 1, "", found, expected))
