"""An error says by its type whether trying again can help."""

from collector.errors import FengsuiError, PermanentError, RetryableError


def test_retryable_and_permanent_are_told_apart() -> None:
    assert issubclass(RetryableError, FengsuiError)
    assert not issubclass(RetryableError, PermanentError)
    assert not issubclass(PermanentError, RetryableError)
