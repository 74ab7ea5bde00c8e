"""Passwords."""

from pathlib import Path

from collector.trust.users import hash_password, keep_first_password, new_password, verify_password


def test_a_password_fits_its_own_hash_only() -> None:
    stored = hash_password("correct horse")
    assert stored.startswith("$argon2id$")
    assert verify_password(stored, "correct horse")
    assert not verify_password(stored, "wrong horse")


def test_no_user_no_hash_and_an_endless_password_all_end_in_no() -> None:
    assert not verify_password(None, "anything")
    assert not verify_password("not a hash", "anything")
    assert not verify_password(hash_password("x"), "x" * 2000)


def test_the_first_password_is_random_and_kept_for_its_owner(tmp_path: Path) -> None:
    password = new_password()
    assert password != new_password()
    assert len(password) == 24
    path = keep_first_password(tmp_path, password)
    assert path.read_text() == password + "\n"
    assert path.stat().st_mode & 0o777 == 0o600
