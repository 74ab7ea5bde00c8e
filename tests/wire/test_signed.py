"""What is signed names its purpose."""

from wire.signed import statement


def test_bytes_signed_for_one_purpose_are_not_those_of_another() -> None:
    assert statement("order", b"x") != statement("program", b"x")


def test_no_body_can_look_like_another_purpose() -> None:
    assert statement("order", b"program\0x").split(b"\0", 2)[1] == b"order"
