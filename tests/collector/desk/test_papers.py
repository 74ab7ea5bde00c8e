"""The forms of a report as persons hand them in."""

import msgspec
import pytest

from collector.desk.papers import Handed


def test_a_number_is_one_line() -> None:
    assert msgspec.convert({"number": "12387-0042"}, Handed).number == "12387-0042"
    with pytest.raises(msgspec.ValidationError, match="number"):
        msgspec.convert({"number": "12387\n0042"}, Handed)


def test_what_nobody_asked_for_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="unknown"):
        msgspec.convert({"paid": True}, Handed)
