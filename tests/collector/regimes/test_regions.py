"""A region counts with its country, but Hong Kong, Macao and Taiwan have their own law."""

import pytest

from collector.regimes.regions import EUROPEAN_UNION, Region


@pytest.mark.parametrize(
    ("code", "country"),
    [
        ("CN", "CN"),
        ("CN-12", "CN"),
        ("CN-HK", "HK"),
        ("CN-MO", "MO"),
        ("CN-TW", "TW"),
        ("HK", "HK"),
        ("TW", "TW"),
        ("US-VA", "US"),
        ("NO", "NO"),
        ("GB-ENG", "GB"),
        ("DE-BY", "DE"),
    ],
)
def test_a_subdivision_counts_with_its_country(code: str, country: str) -> None:
    assert Region.parse_yaml(code).country == country


@pytest.mark.parametrize(
    "code", ["", "cn", "CHN", "CN_12", "CN-", "CN-12345", "UK", "EU", "XX", "CN-12 ", "中国"]
)
def test_what_is_no_code_of_iso_3166_is_refused(code: str) -> None:
    with pytest.raises(ValueError, match="ISO 3166"):
        Region.parse_yaml(code)


def test_the_union_has_27_members_and_the_united_kingdom_is_none() -> None:
    assert len(EUROPEAN_UNION) == 27
    assert EUROPEAN_UNION.isdisjoint({"GB", "NO", "CH", "IS"})
