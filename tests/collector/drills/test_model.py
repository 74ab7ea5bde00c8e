import pytest

from collector.drills import FORMS, KINDS, MARK, SCOPES, STATES, marked


def test_every_code_has_its_words_in_both_languages() -> None:
    names = [name for table in (FORMS, SCOPES, KINDS, STATES) for name in table.values()]

    assert all(name.zh and name.en and name.zh != name.en for name in names)
    assert {"table_top", "live", "demonstration"} == set(FORMS)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_what_bears_the_mark_bears_it_once(language: str) -> None:
    once = marked("x", language, drill=True)

    assert once == MARK.in_language(language) + "x"
    assert marked(once, "en", drill=True) == once
    assert marked("x", language, drill=False) == "x"
