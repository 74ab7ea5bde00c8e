import doctest
import os

from hypothesis import given
from hypothesis import strategies as st

from agent.sources import names
from agent.sources.names import real, told

NAMES = st.binary(min_size=1, max_size=40).filter(lambda name: not set(name) & set(b"/\0"))


def test_the_examples_run() -> None:
    assert doctest.testmod(names).failed == 0


def test_a_name_like_the_mark_hides_behind_no_other() -> None:
    hostile = "bytes:ff"

    assert told(hostile) != told(os.fsdecode(b"\xff"))
    assert real(told(hostile)) == hostile


@given(st.lists(NAMES, min_size=1, max_size=4))
def test_every_name_is_told_as_text_and_found_again(parts: list[bytes]) -> None:
    path = os.fsdecode(b"/".join(parts))

    assert real(told(path)) == path
    told(path).encode("utf-8")


@given(st.text(max_size=40))
def test_any_told_text_leads_somewhere_or_nowhere(text: str) -> None:
    real(text)
