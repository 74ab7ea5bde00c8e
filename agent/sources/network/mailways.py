"""Where this host sends mail: the relay its mail server was given, by whichever of the usual files says so.

Mail leaves by the unit's own server or by a stranger's; a relay outside is a way out for what is written in
letters. Nothing is asked of anybody: the files say it, and connections to mail ports are in `sockets`.
"""

import re
from pathlib import Path
from typing import Any

from .surroundings import read_text

_FILES = {
    "etc/postfix/main.cf": re.compile(r"^[ \t]*relayhost[ \t]*=[ \t]*(\S+)", re.MULTILINE),
    "etc/exim4/update-exim4.conf.conf": re.compile(
        r"^[ \t]*dc_smarthost[ \t]*=[ \t]*'?([^'\s;]+)", re.MULTILINE
    ),
    "etc/mail/sendmail.mc": re.compile(r"^[ \t]*define\(`SMART_HOST',[ \t]*`([^'\n]+)'", re.MULTILINE),
    "etc/msmtprc": re.compile(r"^[ \t]*host[ \t]+(\S+)", re.MULTILINE),
    "etc/ssmtp/ssmtp.conf": re.compile(r"^[ \t]*mailhub[ \t]*=[ \t]*(\S+)", re.MULTILINE | re.IGNORECASE),
}
_PORT = re.compile(r"^\[?([^\]\s]+?)\]?(?::{1,2}(\d{1,5}))?$")
_MAX = 16


def relays(root: Path) -> list[dict[str, Any]]:
    """Return the relays that mail servers on this host are given: `[{host, port, source}]`.

    Raises:
        OSError: a file is there and can't be read.
    """
    found = []
    for name, pattern in _FILES.items():
        for value in pattern.findall(read_text(root / name) or "")[:_MAX]:
            match = _PORT.match(value)
            if match:
                port = int(match[2]) if match[2] else 25
                found.append({"host": match[1][:255], "port": port, "source": f"/{name}"})
    return found
