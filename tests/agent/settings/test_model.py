import msgspec
import pytest

from agent.settings import LogFile, OrdersSettings, Settings
from agent.settings.model import objections


def test_every_setting_has_a_default_and_only_evidence_may_be_ordered() -> None:
    assert objections(Settings()) == []
    assert Settings().orders.allow == ("collect_evidence",)
    assert Settings().metrics.listen == ""


@pytest.mark.parametrize(
    ("settings", "path"),
    [
        (Settings(internal_ranges=("10.0.0.0/8", "10.0.0.0/33")), "internal_ranges[1]"),
        (Settings(internal_ranges=("10.1.0.0/8",)), "internal_ranges[0]"),
        (Settings(collectors=("https://c:8443", "https://c/path")), "collectors[1]"),
        (Settings(collectors=("https://user@c:8443",)), "collectors[0]"),
        (Settings(collectors=("https://c:99999",)), "collectors[0]"),
        (
            Settings(
                orders=OrdersSettings(
                    evidence_logs=(LogFile(name="a", path="/a"), LogFile(name="a", path="/b"))
                )
            ),
            "orders.evidence_logs[1].name",
        ),
    ],
)
def test_what_no_single_field_can_tell_is_objected_to_at_its_place(settings: Settings, path: str) -> None:
    ((where, found, expected),) = objections(settings)

    assert where == path
    assert found
    assert expected


@pytest.mark.parametrize("listen", ["0.0.0.0:9443", "[::]:9443", "node-1:1", ""])
def test_a_listener_is_an_address_and_a_port_or_nothing(listen: str) -> None:
    assert msgspec.convert({"metrics": {"listen": listen}}, Settings).metrics.listen == listen
