"""Links that this kernel lacks make an incident of their kind, from the encoder to the collector's row."""

from collections.abc import Iterator

import pytest
from encoded import KINDS
from landscape import Landscape, eventually
from test_second_exit import FEW, LIMIT_SECONDS, by_encoder, rows, verdict_of

pytestmark = [
    pytest.mark.root,
    pytest.mark.slow,
    pytest.mark.timeout(120),
    pytest.mark.xdist_group("encoded-links"),
]


@pytest.fixture(scope="module")
def landscape(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Landscape]:
    # All tests of this file in five minutes are a flood to one agent, which would space its looks by seconds.
    sources = {"exits": {"budget": {"cpu_seconds": 60, "report_bytes": 67108864}}}
    with Landscape(tmp_path_factory.mktemp("landscape"), sources, encoded=True) as made:
        eventually(lambda: verdict_of(made, "eth0") == "sanctioned", within=30)
        yield made


@pytest.mark.parametrize("kind", KINDS)
def test_a_link_of_a_kind_that_is_not_here_is_an_incident(landscape: Landscape, kind: str) -> None:
    assert max(by_encoder(landscape, kind, FEW)) < LIMIT_SECONDS

    found = rows(landscape, "SELECT verdict FROM exits WHERE link_kind = ? AND gone_at IS NULL", kind)
    assert found == [("available",)]
