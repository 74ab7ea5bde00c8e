"""For which hosts an agent's bundle is."""

from pathlib import Path

import pytest

from collector.trust.bundles import offer_of
from collector.trust.release_keys import ReleasesError
from tests.agent.release.conftest import bundle, pack


def test_a_bundle_says_for_whom_it_is(tmp_path: Path) -> None:
    names = [
        "fengsui-0.2.0-py3-none-any.whl",
        "x-1-cp311-cp311-manylinux_2_17_x86_64.whl",
        "y-1-cp36-abi3-linux_x86_64.whl",
    ]
    made = pack(tmp_path / "b.tar", {f"wheels/{name}": b"" for name in names})
    offer = offer_of(made)
    assert (offer.version, offer.platform, offer.python) == ("0.2.0", "linux_x86_64", "cp311")
    assert offer_of(bundle(tmp_path, "0.3.0")).platform == "any"


@pytest.mark.parametrize(
    "members", [{}, {"wheels/other-1.0-py3-none-any.whl": b""}, {"wheels/fengsui-dev-py3-none-any.whl": b""}]
)
def test_what_holds_no_agent_is_no_bundle(tmp_path: Path, members: dict[str, bytes]) -> None:
    with pytest.raises(ReleasesError, match="found no wheel of fengsui"):
        offer_of(pack(tmp_path / "b.tar", members))


def test_what_can_not_be_read_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(ReleasesError, match=r"absent\.tar: No such file"):
        offer_of(tmp_path / "absent.tar")
    (tmp_path / "b.tar").write_bytes(b"no tar")
    with pytest.raises(ReleasesError, match=r"b\.tar"):
        offer_of(tmp_path / "b.tar")
