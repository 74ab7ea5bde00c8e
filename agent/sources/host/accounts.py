"""Who may enter this host and become root, as passwd, shadow, group and sudoers say it: pure.

    more power     uid 0, a privileged group, sudoers, an empty password     told as an abuse of privilege
    another way    a new account, a new password, a shell where none was     told as unusual access

Of a password only a digest of its hash is kept, so that a change is seen and nothing can be learned from it.
"""

import hashlib
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from msgspec import Struct

PRIVILEGED = frozenset(
    {"root", "sudo", "wheel", "admin", "adm", "docker", "lxd", "libvirt", "disk", "shadow", "sys", "kmem"}
)
_NO_SHELLS = ("nologin", "false", "sync", "halt", "shutdown")
_LOCKED = "!"
_MAX_ACCOUNTS = 100_000


class Account(Struct, frozen=True):
    """One account; `password` is a digest, empty where none is needed, `!` where none opens it."""

    uid: int
    group: int
    shell: str
    password: str = _LOCKED


class Known(Struct, frozen=True):
    """What was known at the last look; `taken` is false before the first.

    `primary`: whose own group is a privileged one, which no group's line tells; None where nobody looked.
    """

    taken: bool = False
    accounts: dict[str, Account] = {}
    members: dict[str, list[str]] = {}
    sudoers: dict[str, str] = {}
    primary: dict[str, list[str]] | None = None


class Change(NamedTuple):
    """What changed of whom; `power` says whether it gives power."""

    change: str
    account: str
    why: str
    power: bool


def read_accounts(passwd: str, shadow: str | None) -> dict[str, Account]:
    r"""Return the accounts by name; lines that are none are left out.

    >>> read_accounts("root:x:0:0::/root:/bin/bash\nnot a line\n", None)
    {'root': Account(uid=0, group=0, shell='/bin/bash', password='!')}
    """
    passwords = dict(_passwords(shadow or ""))
    accounts: dict[str, Account] = {}
    for line in passwd.splitlines()[:_MAX_ACCOUNTS]:
        fields = line.split(":")
        if len(fields) < 7 or not _is_number(fields[2]) or not _is_number(fields[3]):
            continue
        own = fields[1]
        password = passwords.get(fields[0], "!") if own in {"x", "*", "!"} else _digest(own)
        accounts[fields[0][:256]] = Account(int(fields[2]), int(fields[3]), fields[6][:256], password)
    return accounts


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 10


def _passwords(shadow: str) -> Iterator[tuple[str, str]]:
    for line in shadow.splitlines()[:_MAX_ACCOUNTS]:
        name, _, rest = line.partition(":")
        yield name, _digest(rest.partition(":")[0])


def _digest(password: str) -> str:
    if not password:
        return ""
    if password.startswith(("!", "*")):
        return "!"
    return hashlib.sha256(b"fengsui account" + password.encode("utf-8", "replace")).hexdigest()[:16]


def read_members(group: str) -> dict[str, list[str]]:
    """Return the members of the privileged groups."""
    members: dict[str, list[str]] = {}
    for line in group.splitlines()[:_MAX_ACCOUNTS]:
        fields = line.split(":")
        if len(fields) >= 4 and fields[0] in PRIVILEGED:
            members[fields[0]] = sorted(name for name in fields[3].split(",") if name)
    return members


def read_primary(group: str, accounts: Mapping[str, Account]) -> dict[str, list[str]]:
    """Return who has a privileged group as the group of its own in passwd, by group."""
    found: dict[str, list[str]] = {}
    for line in group.splitlines()[:_MAX_ACCOUNTS]:
        fields = line.split(":")
        if len(fields) >= 4 and fields[0] in PRIVILEGED and _is_number(fields[2]):
            found[fields[0]] = sorted(name for name, one in accounts.items() if one.group == int(fields[2]))
    return found


def changes(before: Known, after: Known) -> Iterator[Change]:
    """Yield what changed, what gives power first."""
    found = [
        *_of_accounts(before.accounts, after.accounts),
        *_of_members(before.members, after.members),
        *_of_primary(before, after),
        *_of_sudoers(before.sudoers, after.sudoers),
    ]
    yield from sorted(found, key=lambda one: not one.power)


def _of_accounts(before: Mapping[str, Account], after: Mapping[str, Account]) -> Iterator[Change]:
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        if new is None:
            yield Change("account_removed", name, "", power=False)
            continue
        if old is None:
            yield Change("account_added", name, f"uid {new.uid}, shell {new.shell}", power=False)
        if new.uid == 0 and (old is None or old.uid != 0) and name != "root":
            yield Change("uid_zero", name, "has the uid of root", power=True)
        if new.password == "" and (old is None or old.password != ""):
            yield Change("password_empty", name, "enters without a password", power=True)
        elif old and old.password != new.password:
            why = "has a password now" if old.password == _LOCKED else ""
            change = "password_locked" if new.password == _LOCKED else "password_changed"
            yield Change(change, name, why, power=False)
        if old and _enters(new.shell) and not _enters(old.shell):
            yield Change("shell_given", name, f"{old.shell} became {new.shell}", power=False)


def _enters(shell: str) -> bool:
    return not shell.endswith(_NO_SHELLS)


def _of_members(before: Mapping[str, list[str]], after: Mapping[str, list[str]]) -> Iterator[Change]:
    for group in sorted(after):
        for name in sorted(set(after[group]) - set(before.get(group, ()))):
            yield Change("group_joined", name, f"is in group {group}", power=True)
    for group in sorted(before):
        for name in sorted(set(before[group]) - set(after.get(group, ()))):
            yield Change("group_left", name, f"is no longer in group {group}", power=False)


def _of_primary(before: Known, after: Known) -> Iterator[Change]:
    if before.primary is None or after.primary is None:
        return
    for group, names in sorted(after.primary.items()):
        for name in sorted(set(names) - set(before.primary.get(group, ()))):
            # `adduser admin` makes a group of that name, which opens nothing; a second root is told as one.
            if (name != group or group in before.members) and after.accounts[name].uid != 0:
                yield Change("group_joined", name, f"has the group {group} as its own", power=True)


def _of_sudoers(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Change]:
    for path in sorted(before.keys() | after.keys()):
        came = set(_rules(after.get(path, ""))) - set(_rules(before.get(path, "")))
        went = set(_rules(before.get(path, ""))) - set(_rules(after.get(path, "")))
        for rule in sorted(came):
            yield Change("sudo_rule_added", rule.split(maxsplit=1)[0], f"{path}: {rule}"[:300], power=True)
        for rule in sorted(went):
            yield Change("sudo_rule_removed", rule.split(maxsplit=1)[0], f"{path}: {rule}"[:300], power=False)


def _rules(text: str) -> Iterator[str]:
    """Yield the rules; `#include` and `@include` are rules although they look like comments."""
    for line in text.splitlines():
        rule = " ".join(line.split())
        if rule and (not rule.startswith("#") or rule.startswith("#include") or rule[1:2].isdigit()):
            yield rule
