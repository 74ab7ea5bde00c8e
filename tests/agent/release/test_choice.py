"""Which release a node takes."""

from hypothesis import given
from hypothesis import strategies as st

from agent.release.choice import Host, choose, order, this_host
from wire.releases import Index, Offer

HERE = Host("linux_x86_64", "cp311")
versions = st.sampled_from(["0.1.0", "0.2.0", "0.9.0", "0.10.0", "0.10.1", "1.0", "2.0.0"])


@given(st.lists(versions, unique=True), st.sets(versions), st.sets(versions), versions)
def test_the_newest_that_fits_and_never_an_older_one_unless_what_runs_is_withdrawn(
    offered: list[str], withdrawn: set[str], failed: set[str], running: str
) -> None:
    index = Index(tuple(Offer(version, f"{version}.tar") for version in offered), tuple(withdrawn))
    chosen = choose(index, running, HERE, failed)

    usable = [one for one in offered if one not in withdrawn | failed]
    newest = max(usable, key=lambda text: tuple(map(int, text.split("."))), default=None)
    newer = newest is not None and tuple(map(int, newest.split("."))) > tuple(map(int, running.split(".")))
    wanted = newest if newest != running and (newer or running in withdrawn) else None
    assert (chosen.version if chosen else None) == wanted


def test_a_bundle_for_other_hosts_is_none_for_this() -> None:
    offers = (
        Offer("0.3.0", "arm.tar", platform="linux_aarch64", python="cp311"),
        Offer("0.3.0", "old.tar", platform="linux_x86_64", python="cp39"),
        Offer("0.2.0", "here.tar", platform="linux_x86_64", python="cp311"),
    )
    chosen = choose(Index(offers), "0.1.0", HERE, ())
    assert chosen is not None
    assert chosen.path == "here.tar"
    assert choose(Index(offers[:2]), "0.1.0", HERE, ()) is None


def test_a_checkout_is_older_than_any_release() -> None:
    assert order("checkout") < order("0.0.1") < order("0.0.10")


def test_this_host_is_called_as_wheels_call_it() -> None:
    assert this_host().platform.startswith("linux_")
    assert this_host().python.startswith("cp3")
