r"""Lines of syslog taken apart, in the forms in which daemons write them to files; pure.

    Mar  2 09:10:00 web sshd[812]: text                              RFC 3164, with or without <38> before it
    2026-03-02T09:10:00.25+08:00 web sshd[812]: text                 the same with a whole time
    <38>1 2026-03-02T09:10:00.25Z web sshd 812 - [a b="c"] text      RFC 5424
    Mar  2 09:10:00 web auth.info sshd[812]: text                    busybox

>>> taken_apart("Mar  2 09:10:00 web gdm-password][812]: text")
Line(at='Mar  2 09:10:00', program='gdm-password', message='text')
>>> taken_apart("<38>1 2026-03-02T09:10:00Z web sshd 812 - - text").program
'sshd'
>>> taken_apart("Mar  2 09:10:00 web -- MARK --").program
''
"""

import re
from typing import NamedTuple

_TIME = r"(?P<at>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S*)"
_HEAD = re.compile(rf"(?:<\d{{1,3}}>)?{_TIME}\s+\S+\s+(?P<rest>.*)", re.DOTALL)
# A session worker of gdm names itself with half a bracket.
_TAG = re.compile(
    r"(?:[a-z]\w{2,9}\.[a-z]{2,7} )?(?P<program>[^\s:\[\]]{1,128})\]?(?:\[\d{0,10}\])?:\s?(?P<message>.*)",
    re.DOTALL,
)
_NEW = re.compile(
    rf"<\d{{1,3}}>1 {_TIME} \S+ (?P<program>\S{{1,128}}) \S+ \S+ "
    r'(?:-|(?:\[(?:[^\]"]|"(?:[^"\\]|\\.)*")*\])+)\s*(?P<message>.*)',
    re.DOTALL,
)
# A byte order mark, the zeros that a power cut leaves, the line end of another system.
_NO_TEXT = "\ufeff\0\r"


class Line(NamedTuple):
    """When, as it is written; whose, without folders and empty where no program is named; and what."""

    at: str
    program: str
    message: str


def taken_apart(text: str) -> Line | None:
    """Return the parts of a line; None for what does not begin with a time and a host."""
    text = text.strip(_NO_TEXT)
    if new := _NEW.fullmatch(text):
        program = "" if new["program"] == "-" else new["program"]
        return Line(new["at"], program.rpartition("/")[2], new["message"].lstrip(_NO_TEXT))
    head = _HEAD.fullmatch(text)
    if head is None:
        return None
    tag = _TAG.fullmatch(head["rest"])
    if tag is None:
        return Line(head["at"], "", head["rest"])
    return Line(head["at"], tag["program"].rpartition("/")[2] or tag["program"], tag["message"])
