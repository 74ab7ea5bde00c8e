"""The figures in Prometheus' words, and the listener where it asks; off unless the settings turn it on."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from .figures import Figures, SourceFigures


def families(now: Figures) -> Iterator[Metric]:
    """Yield the figures as metric families."""
    yield GaugeMetricFamily("fengsui_agent_outbox_bytes", "Bytes that wait on disk.", now.outbox_bytes)
    yield GaugeMetricFamily("fengsui_agent_outbox_reports", "Reports that wait on disk.", now.outbox_reports)
    yield GaugeMetricFamily(
        "fengsui_agent_outbox_age_seconds",
        "How long the oldest waiting report has waited.",
        now.outbox_age_seconds,
    )
    dropped = CounterMetricFamily(
        "fengsui_agent_reports_dropped", "Reports the outbox's bounds dropped.", labels=["kind"]
    )
    for kind, count in sorted(now.drops.items()):
        dropped.add_metric([kind], count)
    yield dropped
    yield CounterMetricFamily(
        "fengsui_agent_reports_refused",
        "Reports set aside because the collector can't take them.",
        now.refused,
    )
    yield CounterMetricFamily(
        "fengsui_agent_outbox_forks", "Times another writer continued this outbox's epoch.", now.forks
    )
    yield GaugeMetricFamily(
        "fengsui_agent_certificate_expiry_timestamp_seconds",
        "End of the certificate's life.",
        now.certificate_expires_at.timestamp(),
    )
    yield CounterMetricFamily(
        "fengsui_agent_cpu_seconds", "CPU time of the agent's process.", now.cpu_seconds
    )
    yield GaugeMetricFamily(
        "fengsui_agent_memory_bytes", "Resident memory of the agent's process.", now.memory_bytes
    )
    orders = CounterMetricFamily(
        "fengsui_agent_orders",
        "Orders this agent has brought to their end, by kind and state.",
        labels=["kind", "state"],
    )
    for labels, count in sorted(now.orders.items()):
        orders.add_metric(list(labels), count)
    yield orders
    yield from _source_families(now.sources)


def _source_families(sources: Mapping[str, SourceFigures]) -> Iterator[Metric]:
    reports = CounterMetricFamily("fengsui_agent_source_reports", "Reports a source made.", labels=["source"])
    failures = CounterMetricFamily(
        "fengsui_agent_source_failures", "Times a source failed and was started again.", labels=["source"]
    )
    seconds = CounterMetricFamily(
        "fengsui_agent_source_run_seconds", "CPU time of a source's looks.", labels=["source"]
    )
    for name, figures in sources.items():
        reports.add_metric([name], figures.reports)
        failures.add_metric([name], figures.failures)
        seconds.add_metric([name], figures.seconds)
    yield from (reports, failures, seconds)


class _Once(Collector):
    def __init__(self, found: Iterable[Metric]) -> None:
        self._found = tuple(found)

    def collect(self) -> Iterable[Metric]:
        return self._found


def render(now: Figures) -> bytes:
    """Return the figures in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Once(families(now)))
    return generate_latest(registry)


class MetricsListener:
    """Serves `/metrics` over TLS with the agent's own certificate."""

    def __init__(self, listen: str, tls: ssl.SSLContext, figures: Callable[[], Awaitable[Figures]]) -> None:
        """Take `address:port`; nothing is opened yet."""
        host, _, port = listen.rpartition(":")
        self._host, self._port = host.strip("[]"), int(port)
        self._tls = tls
        self._figures = figures

    async def run(self, opened: Callable[[int], None] = lambda _: None) -> None:
        """Serve until cancelled; `opened` is told the port."""
        application = web.Application(client_max_size=1024)
        application.router.add_get("/metrics", self._answer)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        try:
            site = web.TCPSite(runner, self._host, self._port, ssl_context=self._tls)
            await site.start()
            opened(runner.addresses[0][1])
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()

    async def _answer(self, _: web.Request) -> web.Response:
        text = await asyncio.to_thread(render, await self._figures())
        return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE_LATEST})
