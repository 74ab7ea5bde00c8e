import subprocess
import sys

import msgspec
import pytest

from agent.sources.network.tracing import Job

GOOD = {"interface": "eth0", "mac": "02:00:00:00:00:01", "target": "203.0.113.80", "hops": 4, "timeout": 1.0}


@pytest.mark.parametrize(
    "wrong",
    [
        {"hops": 255},
        {"target": "example.com"},
        {"target": "2001:db8::g"},
        {"target": "fe"},
        {"interface": "a/b"},
        {"mac": ""},
        {"timeout": 900},
        {"more": 1},
    ],
)
def test_a_job_beyond_its_bounds_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({**GOOD, **wrong}, Job)


def test_the_child_ends_with_an_error_for_what_is_no_job() -> None:
    words = [sys.executable, "-m", "agent.sources.network.tracing"]
    done = subprocess.run(words, input=b"{}", capture_output=True, timeout=60, check=False)

    assert done.returncode == 1
    assert done.stdout == b""
