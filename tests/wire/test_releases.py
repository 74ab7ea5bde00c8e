"""The signed list of a mirror."""

import pytest

from wire.releases import Index, Offer, read_index


def test_a_list_is_read_with_its_defaults() -> None:
    index = read_index(b'{"releases": [{"version": "0.2.0", "path": "a.tar"}]}')
    assert index == Index((Offer("0.2.0", "a.tar", "any", "any"),), ())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"releases": [{"version": "latest", "path": "a.tar"}]}',
        '{"releases": [{"version": "0.2", "path": "../a.tar"}]}',
        '{"releases": [{"version": "0.2", "path": "/a.tar"}]}',
        '{"releases": [{"version": "0.2", "path": "a.tar", "run": "sh"}]}',
        '{"releases": [], "withdrawn": ["*"]}',
        '{"releases": [{"version": "0.2", "path": "a.tar", "platform": "linux x86"}]}',
    ],
)
def test_what_is_no_list_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_index(text.encode())
