"""Every code has a name in both languages."""

from typing import get_args

import pytest

from wire import vocabulary
from wire.vocabulary import GRADES, LEVELS, LINK_KINDS, VERDICTS, ZONES, rank


@pytest.mark.parametrize(
    ("codes", "names"),
    [
        (get_args(vocabulary.Zone), ZONES),
        (get_args(vocabulary.Level), LEVELS),
        (get_args(vocabulary.Verdict), VERDICTS),
        (get_args(vocabulary.LinkKind), LINK_KINDS),
        (range(1, 6), GRADES),
    ],
)
def test_each_code_has_a_zh_and_an_en_name(
    codes: tuple[object, ...], names: dict[object, vocabulary.Name]
) -> None:
    assert list(codes) == list(names)
    assert all(
        name.zh and name.en and name.zh != name.en for name in names.values() if name.en != "WireGuard tunnel"
    )


def test_a_name_is_read_in_the_asked_language() -> None:
    assert LEVELS["I"].in_language("zh") == "特别重大"
    assert LEVELS["I"].in_language("en") == "especially grave"


def test_level_one_is_the_gravest() -> None:
    assert sorted(["I", "IV", "II", "III"], key=rank) == ["IV", "III", "II", "I"]
