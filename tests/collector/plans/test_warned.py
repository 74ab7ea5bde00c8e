"""A warning as it comes in."""

import msgspec
import pytest

from collector.plans.warned import Warned

GOOD = {"id": "w-1", "colour": "orange", "class": "SHEVULN", "title": "高危漏洞"}


def test_a_warning_is_read_by_its_names() -> None:
    warned = msgspec.convert(GOOD, Warned)
    assert (warned.klass, msgspec.to_builtins(warned)["class"]) == ("SHEVULN", "SHEVULN")


@pytest.mark.parametrize(
    "wrong", [{"colour": "pink"}, {"class": "shevuln"}, {"id": "a/b"}, {"id": ""}, {"title": ""}, {"x": 1}]
)
def test_what_is_no_warning_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(GOOD | wrong, Warned)
