import string

from collector.exposure.reasons import REASONS, reason
from wire.vocabulary import Name


def test_both_languages_name_the_same_values() -> None:
    def fields(text: str) -> set[str | None]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    for code, name in REASONS.items():
        assert fields(name.zh) == fields(name.en), code


def test_a_name_among_the_values_reads_in_each_language() -> None:
    found = reason("zone_allows_none", zone=Name("政务内网", "government intranet"))

    assert found.zh == "政务内网不得有互联网出口"
    assert found.en == "the government intranet may have no way to the internet"
