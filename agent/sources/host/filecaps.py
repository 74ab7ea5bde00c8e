"""What the capabilities of a file (`security.capability`) let it do, in the words of getcap(8).

    magic    bit 0: effective; the highest byte is the version: 1 has sets of 32 bits, 2 of 64, and 3 a root
    then     permitted, inheritable; from version 2 on the lower 32 bits of both, then the upper
    then     of version 3 the user who is root where this holds

All numbers are little endian (linux/capability.h, struct vfs_ns_cap_data).

>>> words(bytes.fromhex("01000002 80000000 00000000 00000000 00000000"))
'cap_setuid+ep'
"""

import os
import struct

_VERSIONS = {0x01: struct.Struct("<3I"), 0x02: struct.Struct("<5I"), 0x03: struct.Struct("<6I")}
_ATTRIBUTE = "security.capability"
# fmt: off
_NAMES = (
    "chown", "dac_override", "dac_read_search", "fowner", "fsetid", "kill", "setgid", "setuid",
    "setpcap", "linux_immutable", "net_bind_service", "net_broadcast", "net_admin", "net_raw",
    "ipc_lock", "ipc_owner", "sys_module", "sys_rawio", "sys_chroot", "sys_ptrace", "sys_pacct",
    "sys_admin", "sys_boot", "sys_nice", "sys_resource", "sys_time", "sys_tty_config", "mknod",
    "lease", "audit_write", "audit_control", "setfcap", "mac_override", "mac_admin", "syslog",
    "wake_alarm", "block_suspend", "audit_read", "perfmon", "bpf", "checkpoint_restore",
)
# fmt: on
_MILD = frozenset(
    {"net_bind_service", "net_broadcast", "net_raw", "ipc_lock", "sys_nice", "wake_alarm", "block_suspend"}
)
UNREAD = "unreadable"


def attribute(path: str) -> bytes:
    """Return what a file has as its capabilities, empty where it has none or is gone."""
    try:
        return os.getxattr(path, _ATTRIBUTE, follow_symlinks=False)
    except OSError:
        return b""


def words(value: bytes) -> str:
    """Return capabilities as text without newlines; `UNREAD` for what this kernel's form is not.

    The effective flag belongs to the file, so that it stands with every set.
    """
    form = _VERSIONS.get(value[3] if len(value) >= 4 else 0)
    if form is None or len(value) != form.size:
        return UNREAD
    magic, permitted, inheritable, *rest = form.unpack(value)
    if rest:
        permitted, inheritable = permitted | rest[0] << 32, inheritable | rest[1] << 32
    effective = "e" if magic & 1 else ""
    sets = (
        (permitted & ~inheritable, f"{effective}p"),
        (permitted & inheritable, f"{effective}ip"),
        (inheritable & ~permitted, f"{effective}i"),
    )
    made = [f"{','.join(_named(bits))}+{flags}" for bits, flags in sets if bits]
    root = [f"[rootid={rest[2]}]"] if rest[2:] and rest[2] else []
    return " ".join([*made, *root]) if made else ""


def mild(text: str) -> bool:
    """Say whether capabilities as `words` tells them make nobody another user or the host's master.

    >>> mild("cap_net_raw+ep"), mild("cap_net_raw,cap_setuid+ep"), mild("unreadable")
    (True, False, False)
    """
    sets = [part.partition("+")[0] for part in text.split() if not part.startswith("[")]
    return {name.removeprefix("cap_") for part in sets for name in part.split(",")} <= _MILD


def _named(bits: int) -> list[str]:
    return [
        f"cap_{_NAMES[bit] if bit < len(_NAMES) else bit}"
        for bit in range(bits.bit_length())
        if bits >> bit & 1
    ]
