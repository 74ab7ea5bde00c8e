"""Messages hold what the wire promises."""

import msgspec
import pytest

from wire import messages


@pytest.mark.parametrize(
    "message",
    [
        messages.Batch,
        messages.Ack,
        messages.Refusal,
        messages.Enrolment,
        messages.Orders,
        messages.Outcome,
        messages.Filing,
        messages.Receipt,
    ],
)
def test_every_message_is_frozen_and_versioned(message: type[msgspec.Struct]) -> None:
    assert message.__struct_config__.frozen
    assert "version" in message.__struct_fields__
