"""Both commands' words are told apart alike: files, folders, and neither."""

import argparse

import pytest

from agent.cli import build_parser as of_agent
from collector.cli import build_parser as of_collector
from wire.completion import file_words


@pytest.mark.parametrize("build", [of_agent, of_collector], ids=["agent", "collector"])
def test_the_settings_of_every_command_are_a_file(build: object) -> None:
    assert callable(build)
    found = [kind for action, kind in file_words(build()) if action.dest == "config"]
    assert len(found) > 3
    assert set(found) == {"file"}


def test_a_word_with_several_names_is_no_file() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--range", nargs=2, metavar=("FILE", "DIR"))
    parser.add_argument("--plain")
    assert list(file_words(parser)) == []
