"""Who is woken when: chains as data, and the people they mean today (pure)."""

from .policy import AlarmPolicy, Policy, Step, read_policies, read_policy
from .roster import Call, Directory, Wake, wake

__all__ = [
    "AlarmPolicy",
    "Call",
    "Directory",
    "Policy",
    "Step",
    "Wake",
    "read_policies",
    "read_policy",
    "wake",
]
