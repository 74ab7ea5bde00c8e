"""STIX comparisons over what a run knows: every operator, and what is not known."""

import time
from fnmatch import fnmatchcase
from ipaddress import IPv4Address, ip_network
from operator import eq, ge, gt, le, lt, ne

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.plans.stix import decide, syntax_error, variables_of
from collector.plans.truth import Unknown

SCOPE = {
    "vars": {
        "n": 7,
        "s": "web-01",
        "yes": True,
        "ip": "10.1.2.3",
        "at": "2026-03-02T09:10:00+08:00",
        "no": None,
    },
    "incident": {"level": "II", "class": "NADOS", "facts": {"reposts": 12, "hosts": ["a", "b"]}},
    "run": {"drill": False},
}


@pytest.mark.parametrize(
    "text",
    [
        "__n__:value = 7",
        "__n__:value == '7'",
        "__n__:value != 8",
        "__n__:value <> 8",
        "__n__:value < 7.5 AND __n__:value > 6 AND __n__:value <= 7 AND __n__:value >= 7",
        "__s__:value = 'web-01'",
        "__s__:value IN ('db-01', 'web-01')",
        "__s__:value NOT IN ('db-01')",
        "__s__:value LIKE 'web-%' AND __s__:value LIKE 'web-_1'",
        "__s__:value MATCHES '^web-[0-9]+$'",
        "__ip__:value ISSUBSET '10.0.0.0/8'",
        "__ip__:value NOT ISSUBSET '192.168.0.0/16'",
        "incident:facts.reposts >= 12",
        "incident:facts.hosts[1] = 'b'",
        "incident:class = 'NADOS' AND NOT run:drill = true",
        "__yes__:value = true AND __yes__:value != 'false'",
        "__at__:value = t'2026-03-02T01:10:00Z' AND __at__:value > t'2026-03-01T00:00:00Z'",
        "[incident:level = 'I' OR incident:level = 'II']",
        "(__no__:value = 1 OR __n__:value = 7)",
    ],
)
def test_what_holds_is_true_and_its_opposite_false(text: str) -> None:
    assert decide(text, SCOPE) is True
    assert decide(f"NOT ({text})", SCOPE) is False


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("__gone__:value = 1", "__gone__:value is not known"),
        ("__no__:value = 1 AND __n__:value = 7", "__no__:value is not known"),
        ("ipv4-addr:value = '10.0.0.1'", "ipv4-addr:value is not known"),
        ("incident:facts.hosts[9] = 'b'", "is not known"),
        ("__s__:value > 5", "cannot be compared"),
        ("__yes__:value > true", "cannot be compared"),
        ("__n__:value = true", "cannot be compared"),
        ("__s__:value = t'2026-03-02T01:10:00Z'", "cannot be compared"),
        ("__n__:value LIKE '7'", "7 is no text"),
        ("__s__:value ISSUBSET '10.0.0.0/8'", "ISSUBSET"),
        ("__s__:value MATCHES '(?=w)'", "look-around"),
        ("__s__:value MATCHES '['", "MATCHES"),
        ("when somebody says so", "column 1"),
    ],
)
def test_what_cannot_be_known_or_compared_is_unknown_with_its_reason(text: str, why: str) -> None:
    answer = decide(text, SCOPE)

    assert isinstance(answer, Unknown)
    assert why in answer.why
    assert decide(f"({text}) OR __n__:value = 7", SCOPE) is True or "column" in why


def test_no_pattern_makes_a_match_slow() -> None:
    begun = time.perf_counter()

    assert decide("__s__:value MATCHES '^(a+)+$'", {"vars": {"s": "a" * 20_000 + "!"}}) is False
    assert isinstance(decide("__s__:value MATCHES '((a{1000}){1000}){1000}'", SCOPE), Unknown)
    assert isinstance(decide(f"__s__:value MATCHES '{'a?' * 600}'", SCOPE), Unknown)
    assert decide(f"__s__:value LIKE '{'%a' * 300}'", {"vars": {"s": "b" * 2_000}}) is False
    assert time.perf_counter() - begun < 2


@given(
    st.sampled_from([("=", eq), ("!=", ne), ("<", lt), (">", gt), ("<=", le), (">=", ge)]),
    st.integers(-(10**9), 10**9) | st.floats(-1e9, 1e9).map(lambda number: round(number, 3)),
    st.integers(-(10**9), 10**9),
)
def test_numbers_compare_as_numbers(operator: tuple[str, object], value: float, constant: int) -> None:
    sign, holds = operator

    assert decide(f"__n__:value {sign} {constant}", {"vars": {"n": value}}) is holds(value, constant)  # type: ignore[operator]


@given(st.text(max_size=30), st.text(max_size=30))
def test_texts_compare_as_texts(value: str, constant: str) -> None:
    quoted = constant.replace("\\", "\\\\").replace("'", "\\'")

    assert decide(f"__s__:value = '{quoted}'", {"vars": {"s": value}}) is (value == constant)


@given(st.text(alphabet="ab", max_size=8), st.text(alphabet="ab%_", max_size=8))
def test_like_is_the_matching_of_sql(value: str, pattern: str) -> None:
    shell = pattern.replace("%", "*").replace("_", "?")

    assert decide(f"__s__:value LIKE '{pattern}'", {"vars": {"s": value}}) is fnmatchcase(value, shell)


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.integers(0, 32))
def test_a_subset_is_one_of_addresses(address: int, network: int, prefix: int) -> None:
    outer = ip_network((network, prefix), strict=False)
    text = f"__ip__:value ISSUBSET '{outer}'"

    assert decide(text, {"vars": {"ip": str(IPv4Address(address))}}) is (IPv4Address(address) in outer)
    assert decide("__ip__:value ISSUPERSET '10.1.0.0/16'", {"vars": {"ip": "10.0.0.0/8"}}) is True
    assert decide("__ip__:value ISSUBSET '::/0'", {"vars": {"ip": "10.0.0.0/8"}}) is False


def test_the_variables_of_an_expression_are_named() -> None:
    assert variables_of("__a__:value = 1 OR NOT (__b-c__:value = 2 AND run:drill = true)") == {"a", "b_c"}
    assert variables_of("as somebody says") == frozenset()
    assert syntax_error("__a__:value = 1") is None
