from typing import Any

import msgspec
import pytest

from collector.exposure.facts import Asset, Exits, Link, Sockets, address, network


def test_an_address_is_read_without_its_scope_and_as_the_family_it_is_in_truth() -> None:
    assert str(address("fe80::1%eth0")) == "fe80::1"
    assert str(address("::ffff:9.9.9.9")) == "9.9.9.9"
    assert str(network("10.1.2.3/8")) == "10.0.0.0/8"


@pytest.mark.parametrize(
    ("form", "body"),
    [
        (Exits, {"links": [{"name": "e", "addresses": [{"address": "ten"}]}], "routes": []}),
        (Exits, {"links": [], "routes": [{"family": 4, "destination": "all"}]}),
        (Exits, {"links": [], "routes": [{"family": 4, "destination": "::/0", "gateway": "x"}]}),
        (Exits, {"links": [], "routes": [], "evidence": [{"local_address": "x"}]}),
        (Exits, {"links": []}),
        (Sockets, {"connections": [{"local_address": "10.0.0.1", "remote_address": "?"}]}),
        (Asset, {"listening_services": [{"protocol": "tcp", "address": "*", "port": 22}]}),
    ],
)
def test_what_is_no_address_is_refused_when_it_is_read(form: type, body: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError, match=r"\$|missing required"):
        msgspec.convert(body, form)


def test_a_link_is_live_when_packets_can_leave_by_it() -> None:
    assert Link("e").live
    assert Link("wwan0", "wwan", "unknown").live
    assert not Link("lo", "loopback").live
    assert not Link("e", "wired", "down").live
    assert not Link("e", up=False).live


def test_what_is_not_judged_is_ignored() -> None:
    body = {"host_name": "h", "kernel": {"release": "6"}, "listening_services": []}

    assert msgspec.convert(body, Asset) == Asset(host_name="h")
