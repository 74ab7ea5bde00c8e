import doctest
from base64 import b64decode
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.sources.network import dconf
from agent.sources.network.dconf import DconfError, proxy, told

# Compiled by dconf 0.40 from a key file: mode='auto', a script with a password, http, https and socks, and
# a setting of the desktop that is nobody's business.
DATABASE = b64decode(
    "R1ZhcmlhbnQAAAAAAAAAABgAAAAYAgAAAAAAKBIAAAAAAAAAAgAAAAQAAAAGAAAABgAAAAYAAAAGAAAABgAAAAYAAAAH"
    "AAAACwAAAA0AAAANAAAADQAAAA4AAAAPAAAAEAAAABIAAABeMbzvCgAAABgCAAAEAHYAIAIAACcCAAAQUO3/BwAAACcC"
    "AAAEAHYAMAIAADYCAADtCwGRBQAAADYCAAAEAHYAQAIAAEYCAABLUJALDgAAAEYCAAAEAEwATAIAAFACAACwtyQwAwAA"
    "AFACAAAGAEwAWAIAAFwCAAAo5urmCgAAAFwCAAAFAEwAZAIAAGwCAABUeBxwCAAAAGwCAAAHAHYAeAIAAJACAADLkIzd"
    "CgAAAJACAAAGAEwAmAIAAKACAAC5iP3aBAAAAKACAAAIAEwAqAIAAKwCAAAbtEfECgAAAKwCAAAGAEwAtAIAALwCAAAZ"
    "IvkxCwAAALwCAAAGAEwAxAIAANgCAADoN9WSDgAAANgCAAAHAEwA4AIAAOQCAACIb90ZCgAAAOQCAAAOAHYA+AIAACgD"
    "AAB5OCVLCQAAACgDAAAEAHYAMAMAADMDAADUtQIA/////zMDAAABAEwANAMAADwDAAAp7ej/BwAAADwDAAAEAHYAQAMA"
    "AEsDAAAGqfyQBQAAAEsDAAAEAHYAUAMAAGQDAABgmylLCQAAAGQDAAAEAHYAaAMAAG4DAABtb2RlAAAAAGF1dG8AAHNw"
    "b3J0AAAAAAA4BAAAAGlwb3J0AAAAAAAAkB8AAABpb3JnLwAABAAAAGdub21lLwAACAAAAGh0dHAvAAAAEAAAAAIAAABw"
    "cml2YXRlAAAAAAB0aGUgdGl0bGUgb2YgYSBsZXR0ZXIAAHNzb2Nrcy8AAA8AAAABAAAAZGVza3RvcC8GAAAAaHR0cHMv"
    "AAANAAAAEQAAAHByb3h5LwAADAAAAAUAAAAJAAAAAAAAAAcAAABzeXN0ZW0vAAoAAABhdXRvY29uZmlnLXVybAAAAAAA"
    "AGh0dHA6Ly91c2VyOnNlY3JldEB3cGFkLmV4YW1wbGUubmV0L3Byb3h5LnBhYwAAc2hvc3QAAAAAAABzLwMAAAALAAAA"
    "aG9zdDEwLjAuMC45AABzaG9zdABwcm94eS5leGFtcGxlLm5ldAAAc3BvcnQAAAAAAGk="
)


def test_the_examples_are_true() -> None:
    assert doctest.testmod(dconf).attempted
    assert doctest.testmod(dconf).failed == 0


def test_the_proxy_of_a_real_database_is_read_and_nothing_else() -> None:
    assert proxy(DATABASE) == {
        "mode": "auto",
        "autoconfig-url": "http://user:secret@wpad.example.net/proxy.pac",
        "http/host": "proxy.example.net",
        "http/port": 8080,
        "https/host": "",
        "https/port": 0,
        "socks/host": "10.0.0.9",
        "socks/port": 1080,
    }


def test_what_is_in_force_hangs_on_the_mode() -> None:
    found = proxy(DATABASE)

    assert told(found) == [("pac", "http://user:secret@wpad.example.net/proxy.pac")]
    assert told(found | {"mode": "manual"}) == [
        ("http", "proxy.example.net:8080"),
        ("socks", "10.0.0.9:1080"),
    ]
    assert told(found | {"mode": "none"}) == told({}) == []


@pytest.mark.parametrize("data", [b"", DATABASE[:20], b"x" * 400, b"GVariant" + b"\xff" * 400])
def test_what_is_no_database_is_refused(data: bytes) -> None:
    with pytest.raises(DconfError):
        proxy(data)


@given(st.lists(st.tuples(st.integers(0, len(DATABASE) - 1), st.integers(0, 255)), max_size=8))
def test_wrong_bytes_never_escape(changes: list[tuple[int, int]]) -> None:
    data = bytearray(DATABASE)
    for at, value in changes:
        data[at] = value
    with suppress(DconfError):
        told(proxy(bytes(data)))
