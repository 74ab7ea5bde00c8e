from pathlib import Path

from collector.escalation import Call, Wake, wake
from collector.registry import Registry, read_registry

OFFICE = Path(__file__).parents[2] / "golden" / "office.yaml"


def office() -> Registry:
    return read_registry(OFFICE.read_text(), OFFICE.name)


def test_duty_leader_and_the_superiors_duty_are_found_in_the_register() -> None:
    found = [wake(office(), "county", to).calls for to in ("duty", "leader", "superior")]

    assert found == [(Call("wang", "webhook"),), (Call("zhao", "webhook"),), (Call("li", "webhook"),)]


def test_a_role_that_nobody_has_is_a_hole_with_a_name() -> None:
    assert wake(office(), "lonely", "duty") == Wake(
        calls=(), holes=("nobody is registered as duty of lonely",)
    )


def test_a_unit_that_left_the_register_is_a_hole_too() -> None:
    assert wake(office(), "gone", "leader").holes == ("nobody is registered as leader of gone",)


def test_the_wanted_channels_are_taken_in_their_order_and_no_others() -> None:
    assert wake(office(), "county", "duty", ("sms", "webhook")).calls == (Call("wang", "webhook"),)


def test_a_person_without_the_wanted_channel_is_a_hole() -> None:
    found = wake(office(), "county", "duty", ("sms",))

    assert found.calls == ()
    assert found.holes == ("wang (duty of county) cannot be reached over sms",)
