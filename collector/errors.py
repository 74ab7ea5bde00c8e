"""Errors whose type says whether trying again can help."""


class FengsuiError(Exception):
    """Something a person should read: the text names the place, what was found and what to do."""


class RetryableError(FengsuiError):
    """May succeed later with the same input: a busy database, a link that is down."""


class PermanentError(FengsuiError):
    """Fails again with the same input."""
