import re
from string import Formatter

from agent.texts import TEXTS, SaidError, say


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_every_sentence_says_the_same_in_both_languages() -> None:
    for code, text in TEXTS.items():
        assert fields(text.zh) == fields(text.en), code
        assert re.search("[一-鿿]", text.zh) or not re.search("[A-Za-z]", text.zh.split("{")[0]), code
        assert not re.search("[一-鿿]", text.en), code


def test_a_sentence_is_said_with_its_values() -> None:
    assert say("zh", "order_ended", order="o1", state="done", why="") == "指令 o1：done "
    assert say("en", "order_ended", order="o1", state="done", why="") == "order o1: done "


def test_an_error_says_what_to_do_in_either_language() -> None:
    error = SaidError("not_enrolled", path="/x")
    assert "fengsui-agent enrol" in str(error)
    assert error.in_language("zh").startswith("/x 中没有身份")
