"""What `drill` prints, in both languages; one JSON document where that was asked for."""

import sys
from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any

import msgspec

from ..drills import FORMS, KINDS, STATES, Proof, Sheet
from ..drills.words import RESULTS, WHATS
from ..drills.yearly import LACKS
from ..registry import Registry

if TYPE_CHECKING:
    from ..app.rehearsal import Rehearsed
    from ..store.drills import Announced, Drill

_ANNOUNCED = {
    "waiting": ("待答复", "waits"),
    "accepted": ("已同意", "accepted"),
    "declined": ("已谢绝", "declined"),
}


class Teller:
    """Prints for people, or for machines."""

    def __init__(self, language: str, json: bool) -> None:  # noqa: FBT001 - the command's own switch
        self._zh = language == "zh"
        self._language = language
        self._json = json

    def say(self, zh: str, en: str) -> None:
        """Tell people something; it is no result."""
        print(zh if self._zh else en, file=sys.stderr)

    def document(self, value: Any) -> None:  # noqa: ANN401 - any JSON
        """Print the one JSON document."""
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(value)).decode() + "\n")

    def drill(self, drill: "Drill", zh: str, en: str) -> None:
        """Print a drill, and say what became of it."""
        self.say(f"演练 {drill.id} {zh}", f"drill {drill.id} {en}")
        if self._json:
            self.document(drill)
        else:
            self._line(drill)

    def listed(self, drills: "Sequence[Drill]") -> None:
        """Print drills, a line each."""
        if self._json:
            self.document({"items": drills})
            return
        for drill in drills:
            self._line(drill)

    def _line(self, drill: "Drill") -> None:
        words = [
            drill.planned_at.isoformat(timespec="minutes"),
            STATES[drill.state].in_language(self._language),
            FORMS[drill.form].in_language(self._language),
            KINDS[drill.kind].in_language(self._language),
            drill.name if self._zh else drill.name_en,
            ",".join(drill.units),
        ]
        print(f"{drill.id}  " + "  ".join(words))

    def sheet(self, sheet: Sheet) -> None:
        """Print a score sheet."""
        if self._json:
            self.document(sheet)
            return
        none = "无计分项" if self._zh else "nothing counts"
        print(f"{'得分' if self._zh else 'points'}: {none if sheet.points is None else sheet.points}")
        for mark in sheet.marks:
            took = "-" if mark.seconds is None else _length(mark.seconds)
            limit = "-" if mark.limit_seconds is None else _length(mark.limit_seconds)
            title = (mark.title if self._zh else mark.title_en) or mark.about
            what = WHATS[mark.what].in_language(self._language)
            result = RESULTS[mark.result].in_language(self._language)
            print(f"  {result:<8} {what:<6} {took:>9} / {limit:<9} {mark.about or title}  {title}")

    def rehearsed(self, found: "Rehearsed", zone: tzinfo | None) -> None:
        """Print how a rehearsal went: who would be woken when, and the score."""
        for woken in found.woken:
            print(f"  {_face(woken.at, zone)}  {woken.person or '-'} ({woken.channel})  {woken.subject}")
        self.sheet(found.sheet)
        self.say(
            "模拟推演没有人参加,不作为演练证明", "nobody took part in a rehearsal, so it proves no drill"
        )

    def proofs(self, proofs: Sequence[Proof], registry: Registry) -> None:
        """Print what units can show of a year, and what they lack."""
        if self._json:
            told = [{"ok": proof.ok, **msgspec.to_builtins(proof)} for proof in proofs]
            self.document({"ok": not any(proof.lacks for proof in proofs), "units": told})
            return
        for proof in proofs:
            unit = registry.unit(proof.unit)
            name = (unit.name if self._zh else unit.name_en or unit.name) if unit else proof.unit
            held = ", ".join(one.id for one in proof.held) or ("无" if self._zh else "none")
            print(f"{proof.unit}  {name}  {proof.year}  {'已开展' if self._zh else 'held'}: {held}")
            for lack in proof.lacks:
                print(f"  ! {LACKS[lack][0 if self._zh else 1]}")

    def announced(self, found: "Sequence[Announced]") -> None:
        """Print drills of collectors below."""
        if self._json:
            self.document({"items": found})
            return
        for one in found:
            notice = one.notice
            name = notice.name if self._zh else notice.name_en
            state = _ANNOUNCED[one.state][0 if self._zh else 1]
            print(f"{one.id}  {state}  {one.unit}  {notice.starts_at.isoformat(timespec='minutes')}  {name}")


def _face(at: datetime, zone: tzinfo | None) -> str:
    return at.astimezone(zone).isoformat(timespec="seconds")


def _length(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{rest:02}"
