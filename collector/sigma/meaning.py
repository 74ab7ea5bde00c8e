"""What a rule's match means here: an incident's class and gravity, from the rule's own words or its tags.

A rule says `fengsui_class` (and `title_zh`) itself, or its ATT&CK tags speak: a technique before a tactic.
"""

from collections.abc import Collection, Iterable

from wire.program import Severity

from .lower import LoweringError

OWN_CLASS = "fengsui_class"
UNKNOWN_CLASS = "ABOTH"
_TECHNIQUES = {
    "t1059.004": "NAOTH", "t1110": "NACRED", "t1003": "NACRED", "t1190": "NAEXPLOIT", "t1195": "NASUPPLY",
    "t1486": "MPRANS", "t1485": "DSDATALOSS", "t1565": "DSDATAALTER", "t1496": "MPMINER", "t1498": "NADOS",
    "t1499": "NADOS", "t1505.003": "NABACKIMPL", "t1046": "NASCAN", "t1595": "NASCAN", "t1557": "NATRAFHIJ",
    "t1048": "DSDATASTEAL", "t1041": "DSDATASTEAL", "t1567": "DSDATASTEAL", "t1566": "NAPHISH",
}  # fmt: skip
_TACTICS = {
    "reconnaissance": "NASCAN", "initial-access": "NAEXPLOIT", "credential-access": "NACRED",
    "persistence": "NABACKIMPL", "privilege-escalation": "NAEXPLOIT", "lateral-movement": "NAHACKED",
    "command-and-control": "NAHACKED", "exfiltration": "DSDATASTEAL", "collection": "DSDATASTEAL",
    "execution": "NAOTH", "impact": "NAOTH",
}  # fmt: skip
_SEVERITIES: dict[str, Severity] = {
    "informational": "low", "low": "low", "medium": "medium", "high": "high", "critical": "high",
}  # fmt: skip


def class_of(tags: Iterable[str], own: object, known: Collection[str]) -> str:
    """Return the GB/T 20986 subclass of what a rule finds.

    Args:
        tags: `namespace.name`, as Sigma writes them.
        own: What the rule says itself; None where it does not.
        known: Every class of the table.

    Raises:
        LoweringError: the rule's own class is not in the table.

    >>> class_of(["attack.persistence", "attack.t1505.003"], None, {"NABACKIMPL"})
    'NABACKIMPL'
    """
    if own is not None:
        if own not in known:
            raise LoweringError(f"{OWN_CLASS}: found {own!r}, expected a class of configs/classes.yaml")
        return str(own)
    names = [
        tag.removeprefix("attack.").replace("_", "-").lower() for tag in tags if tag.startswith("attack.")
    ]
    for table in (_TECHNIQUES, _TACTICS):
        for name in names:
            for asked in (name, name.partition(".")[0]):
                if asked in table and table[asked] in known:
                    return table[asked]
    return UNKNOWN_CLASS


def severity_of(level: str | None) -> Severity:
    """Return how grave a match looks; a rule without a level is of medium gravity."""
    return _SEVERITIES.get((level or "medium").lower(), "medium")
