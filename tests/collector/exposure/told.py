"""What nodes tell, judged by the shipped register."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from collector.exposure import Asset, Exits, Facts, Judged, Sockets, judge, scope_of
from collector.registry import read_registry

SHIPPED = Path(__file__).parents[3] / "configs/registry.yaml"
FREE = """
zones: {internet: {exits: free}}
units: {u: {name: U, kind: enterprise, level: district, region: CN, sector: x}}
assets: {web: {name: W, unit: u, role: portal, mlps_grade: 2, zone: internet}}
"""


REGISTRY = read_registry(SHIPPED.read_text("utf-8"), "registry.yaml")


def link(name: str, *addresses: str, kind: str = "wired", **more: object) -> dict[str, Any]:
    return {
        "name": name,
        "kind": kind,
        "state": "up",
        "addresses": [{"address": one} for one in addresses],
        **more,
    }


def route(
    interface: str, gateway: str | None, destination: str = "0.0.0.0/0", **more: object
) -> dict[str, Any]:
    family = 6 if ":" in destination else 4
    return {
        "family": family,
        "destination": destination,
        "gateway": gateway,
        "interface": interface,
        **more,
    }


def told(
    links: list[dict[str, Any]],
    routes: list[dict[str, Any]],
    *,
    talks: Sequence[tuple[str, str]] = (),
    services: Sequence[dict[str, Any]] = (),
    forwarded: Sequence[dict[str, Any]] = (),
    mail_ports: Sequence[tuple[str, int]] = (),
    **more: object,
) -> Facts:
    return Facts(
        exits=msgspec.convert({"links": links, "routes": routes, **more}, Exits),
        sockets=msgspec.convert(
            {
                "connections": [
                    *({"local_address": one, "remote_address": other} for one, other in talks),
                    *(
                        {"local_address": "10.20.0.9", "remote_address": one, "remote_port": port}
                        for one, port in mail_ports
                    ),
                ],
                "forwarded": list(forwarded),
            },
            Sockets,
        ),
        asset=msgspec.convert({"listening_services": list(services)}, Asset),
    )


def verdicts(facts: Facts, asset: str | None = "district-oa", unit: str = "district") -> dict[str, str]:
    return {one.key: one.verdict for one in judged(facts, asset, unit)}


def judged(facts: Facts, asset: str | None = "district-oa", unit: str = "district") -> tuple[Judged, ...]:
    return judge(facts, scope_of(REGISTRY, unit, REGISTRY.asset(asset)))


def codes(facts: Facts, asset: str | None = "district-oa") -> list[str]:
    return [reason.code for reason in judged(facts, asset)[0].reasons]


ANYWHERE = "0.0.0.0"  # noqa: S104 - what a service says it listens on; nothing is bound here
EXPOSED = {"service/tcp/22": "exposed_service"}
HOME = link("eth0", "10.20.0.9", "fe80::1")
GOOD = route("eth0", "10.20.0.1")
