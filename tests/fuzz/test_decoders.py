"""Bytes from outside are read or refused by name, whatever they are, with work in proportion."""

import os
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.fuzz.decoders import DECODERS
from tests.fuzz.hostile import Decoder, bounded, hostile, shapes

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "10"))
every_decoder = pytest.mark.parametrize("decoder", DECODERS, ids=lambda one: one.name)


@every_decoder
def test_what_is_real_is_read(decoder: Decoder) -> None:
    """Without this a decoder that refuses everything would pass."""
    for sample in decoder.samples:
        decoder.read(sample)


@every_decoder
@given(data=st.data())
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
)
def test_whatever_comes_is_read_or_refused_by_name(decoder: Decoder, data: st.DataObject) -> None:
    hostile_bytes = data.draw(hostile(decoder))
    with bounded(), suppress(*decoder.refuses):
        decoder.read(hostile_bytes)


@every_decoder
def test_work_stays_in_proportion(decoder: Decoder) -> None:
    for name, data in shapes(decoder):
        try:
            with bounded(), suppress(*decoder.refuses):
                decoder.read(data)
        except Exception as error:
            raise AssertionError(f"{len(data)} bytes: {name}: {type(error).__name__}: {error}") from error
