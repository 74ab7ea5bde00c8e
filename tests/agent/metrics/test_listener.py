from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from agent.metrics import Figures, SourceFigures
from agent.metrics.listener import MetricsListener, render
from agent.tasks import Tasks

if TYPE_CHECKING:
    from agent.enrolment import Identity

FIGURES = Figures(
    outbox_bytes=700,
    outbox_reports=2,
    outbox_age_seconds=12.5,
    drops={"sockets": 3},
    refused=1,
    forks=0,
    certificate_expires_at=datetime(2026, 3, 2, 1, 10, tzinfo=UTC),
    orders={("block_address", "refused"): 2, ("unknown", "refused"): 1},
    sources={"exits": SourceFigures(reports=5, failures=1, seconds=0.25)},
    cpu_seconds=1.5,
    memory_bytes=40_000_000,
)


def samples(text: bytes) -> dict[str, float]:
    return {
        sample.name
        + ("".join(sample.labels.values()) and f"[{','.join(sample.labels.values())}]"): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def test_the_figures_are_told_in_base_units_under_one_prefix() -> None:
    assert samples(render(FIGURES)) == {
        "fengsui_agent_outbox_bytes": 700,
        "fengsui_agent_outbox_reports": 2,
        "fengsui_agent_outbox_age_seconds": 12.5,
        "fengsui_agent_reports_dropped_total[sockets]": 3,
        "fengsui_agent_reports_refused_total": 1,
        "fengsui_agent_outbox_forks_total": 0,
        "fengsui_agent_certificate_expiry_timestamp_seconds": 1772413800,
        "fengsui_agent_cpu_seconds_total": 1.5,
        "fengsui_agent_memory_bytes": 40_000_000,
        "fengsui_agent_orders_total[block_address,refused]": 2,
        "fengsui_agent_orders_total[unknown,refused]": 1,
        "fengsui_agent_source_reports_total[exits]": 5,
        "fengsui_agent_source_failures_total[exits]": 1,
        "fengsui_agent_source_run_seconds_total[exits]": 0.25,
    }


async def test_prometheus_is_answered_over_tls_with_the_agents_certificate(identity: Identity) -> None:
    async def figures() -> Figures:
        return FIGURES

    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    listener = MetricsListener("127.0.0.1:0", identity.tls(ssl.Purpose.CLIENT_AUTH), figures)
    trusting = ssl.create_default_context(cafile=identity.folder / "authorities.pem")
    async with Tasks() as tasks:
        tasks.spawn("metrics", listener.run(port.set_result))
        url = f"https://127.0.0.1:{await port}/metrics"
        async with aiohttp.ClientSession() as session, session.get(url, ssl=trusting) as answer:
            assert answer.status == 200
            assert samples(await answer.read())["fengsui_agent_outbox_bytes"] == 700
