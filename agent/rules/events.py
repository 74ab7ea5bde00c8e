r"""What rules look at: one thing that happened, as named texts.

The names are Sigma's own for Linux (`Image`, `CommandLine`, `TargetFilename`, `DestinationIp`, ...; those of
audit records for `auditd`), so that a rule needs no translation.

>>> event = Event("process", {"Image": "/usr/bin/NC", "CommandLine": "nc -l 4444"})
>>> event.low("Image"), event.low("User"), event.low("")
('/usr/bin/nc', None, '/usr/bin/nc\nnc -l 4444')
"""

from collections.abc import Mapping

from wire.program import MESSAGE, Log

MAX_TEXT = 4096


class Event:
    """One thing that happened.

    Attributes:
        log: What kind of thing.
        fields: What is known of it, cut to `MAX_TEXT`; a field that is not known is not there.
        service: Of a line: whose it is.
    """

    __slots__ = ("_low", "_message", "fields", "log", "service")

    def __init__(self, log: Log, fields: Mapping[str, str], service: str = "", message: str = "") -> None:
        """Take the fields; `message` is the text of a line."""
        self.log = log
        self.fields = {name: text[:MAX_TEXT] for name, text in fields.items()}
        self.service = service
        self._message = message[:MAX_TEXT]
        self._low: dict[str, str] = {}

    def text(self, field: str) -> str | None:
        """Return a field's text; None where the event does not tell it."""
        if field == MESSAGE:
            return self._message or "\n".join(self.fields.values())
        return self.fields.get(field)

    def low(self, field: str) -> str | None:
        """Return a field's text in lower case."""
        found = self._low.get(field)
        if found is None:
            text = self.text(field)
            if text is None:
                return None
            found = self._low[field] = text.lower()
        return found
