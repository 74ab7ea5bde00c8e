"""Who is woken when: chains as data, rosters, and the people they mean at a time (pure)."""

from .course import Saying, course
from .matter import BODIES, Bodies, Body, Competence, Condition, Matter
from .on_duty import OnDuty
from .policy import AlarmPolicy, Policy, Step, To, read_policies, read_policy
from .roster import Call, Directory, Wake, wake
from .rota import Roster
from .rota_file import read_roster, read_rosters

__all__ = [
    "BODIES",
    "AlarmPolicy",
    "Bodies",
    "Body",
    "Call",
    "Competence",
    "Condition",
    "Directory",
    "Matter",
    "OnDuty",
    "Policy",
    "Roster",
    "Saying",
    "Step",
    "To",
    "Wake",
    "course",
    "read_policies",
    "read_policy",
    "read_roster",
    "read_rosters",
    "wake",
]
