"""Tells who came to power on this host; what a change means stands in `accounts.py`."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from msgspec import Struct, structs

from ...bounded import Seconds
from ...budget import Budget
from ..port import moment
from ..rounds.matters import Finding
from ..rounds.patrol import Patrol, Round
from .accounts import Change, Known, changes, read_accounts, read_members, read_primary

POWER_CLASS, ACCESS_CLASS = "ROPABUSE", "ABACCESS"
_MAX_BYTES = 4 * 1024 * 1024
_MAX_RULES = 64 * 1024
_MAX_FILES = 200


class PrivilegesSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of the privileges source."""

    enabled: bool = True
    poll: Seconds = 60.0
    budget: Budget = Budget()


class Privileges(Patrol[Known]):
    """The privileges source."""

    name = "privileges"
    notes_kind = Known

    def __init__(
        self, settings: PrivilegesSettings | None = None, *, state: Path | None, root: Path = Path("/")
    ) -> None:
        self._settings = settings or PrivilegesSettings()
        self._etc = root / "etc"
        super().__init__(poll=self._settings.poll, budget=self._settings.budget, state=state)

    def folders(self) -> Iterable[Path]:
        """Return where the files are replaced."""
        return [folder for folder in (self._etc, self._etc / "sudoers.d") if folder.is_dir()]

    def look(self, now: datetime, notes: Known, *, alone: bool) -> Round:
        """Compare accounts, privileged groups and sudoers with what was known."""
        if alone and not notes.taken:
            return Round(
                unreadable=(("baseline", "none yet; `fengsui-agent run` takes it at its first start"),)
            )
        unreadable: list[tuple[str, str]] = []
        passwd, shadow, group = (self._read(name, unreadable) for name in ("passwd", "shadow", "group"))
        if passwd is None or group is None:
            return Round(unreadable=tuple(unreadable))
        accounts = read_accounts(passwd, shadow)
        if shadow is None:  # what can't be read is as it was
            accounts = {
                name: structs.replace(one, password=notes.accounts[name].password)
                if name in notes.accounts
                else one
                for name, one in accounts.items()
            }
        known = Known(
            True,
            accounts,
            read_members(group),
            dict(self._sudoers(notes, unreadable)),
            read_primary(group, accounts),
        )
        found = list(changes(notes, known)) if notes.taken else []
        return Round(
            findings=tuple(_findings(found, now)),
            unreadable=tuple(unreadable),
            notes=known if known != notes else None,
        )

    def _read(self, name: str, unreadable: list[tuple[str, str]]) -> str | None:
        try:
            with (self._etc / name).open("rb") as file:
                return file.read(_MAX_BYTES).decode("utf-8", "backslashreplace")
        except OSError as error:
            unreadable.append((f"/etc/{name}", error.strerror or str(error)))
            return None

    def _sudoers(self, notes: Known, unreadable: list[tuple[str, str]]) -> Iterable[tuple[str, str]]:
        try:
            names = sorted(path.name for path in (self._etc / "sudoers.d").iterdir())[:_MAX_FILES]
        except OSError:
            names = []
        for name in ("sudoers", *(f"sudoers.d/{name}" for name in names)):
            try:
                with (self._etc / name).open("rb") as file:
                    yield f"/etc/{name}", file.read(_MAX_RULES).decode("utf-8", "backslashreplace")
            except FileNotFoundError:
                continue
            except OSError as error:
                unreadable.append((f"/etc/{name}", error.strerror or str(error)))
                if f"/etc/{name}" in notes.sudoers:
                    yield f"/etc/{name}", notes.sudoers[f"/etc/{name}"]


def _findings(found: list[Change], now: datetime) -> Iterable[Finding]:
    for power in (True, False):
        those = [one for one in found if one.power == power]
        if those:
            yield Finding(
                key="privileges:power" if power else "privileges:accounts",
                klass=POWER_CLASS if power else ACCESS_CLASS,
                severity_hint="high" if power else "low",
                target=those[0].account[:256],
                passing=True,
                count=len(those),
                evidence=[
                    {"at": moment(now), "change": one.change, "account": one.account[:256], "why": one.why}
                    for one in those
                ],
            )
