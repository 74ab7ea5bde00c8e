import doctest
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.rules import syslog
from agent.rules.syslog import Line, taken_apart

FAILED = "Failed password for root from 203.0.113.9 port 4242 ssh2"


def test_the_examples_run() -> None:
    assert doctest.testmod(syslog).failed == 0


@pytest.mark.parametrize(
    ("head", "program"),
    [
        ("Mar  2 09:10:00 web sshd[812]: ", "sshd"),
        ("<38>Mar  2 09:10:00 web sshd: ", "sshd"),
        ("2026-03-02T09:10:00.123456+08:00 web sshd-session[812]: ", "sshd-session"),
        ("\ufeff2026-03-02 09:10:00 web /usr/sbin/sshd[812]: ", "sshd"),
        ("\0\0\0Mar  2 09:10:00 web sshd[812]: ", "sshd"),
        ("Mar  2 09:10:00 web auth.info sshd[812]: ", "sshd"),
        ("Mar  2 09:10:00 web gdm-password]: ", "gdm-password"),
        ("Mar  2 09:10:00 web run-parts(/etc/cron.hourly)[7]: ", "cron.hourly)"),
        ("<38>1 2026-03-02T09:10:00.123Z web sshd 812 - - ", "sshd"),
        ("<38>1 2026-03-02T09:10:00.123Z web sshd 812 ID47 -  ", "sshd"),
        ('<38>1 2026-03-02T09:10:00Z web sshd - - [a@9 b="x\\"]y" c="z"][d] \ufeff', "sshd"),
    ],
)
def test_a_line_of_every_form_tells_whose_it_is_and_what_it_says(head: str, program: str) -> None:
    found = taken_apart(head + FAILED)

    assert found is not None
    assert (found.program, found.message) == (program, FAILED)
    assert found.at in head


@pytest.mark.parametrize("text", ["Mar  2 09:10:00 web -- MARK --", "Mar  2 09:10:00 web my own tag: text"])
def test_a_line_that_names_no_program_is_nobodys(text: str) -> None:
    assert taken_apart(text) == Line("Mar  2 09:10:00", "", text.removeprefix("Mar  2 09:10:00 web "))


@pytest.mark.parametrize(
    "text", ["", "no line", "__CURSOR=s=1", "<38>1 - web sshd 812 - - x", "\0M\0a\0r", '{"MESSAGE":"x"}']
)
def test_what_has_no_time_and_host_is_no_line(text: str) -> None:
    assert taken_apart(text) is None


def test_every_line_of_the_recorded_log_but_one_is_a_line() -> None:
    golden = (Path(__file__).parents[2] / "golden/auth.log").read_text().splitlines()

    assert [line for line in golden if line and taken_apart(line) is None] == ["this line is no log line"]


@given(st.text(max_size=200))
def test_any_text_is_a_line_or_none(text: str) -> None:
    for line in (text, f"<38>1 2026-03-02T09:10:00Z {text}", f"Mar  2 09:10:00 web {text}"):
        found = taken_apart(line)
        assert found is None or found.message in line
