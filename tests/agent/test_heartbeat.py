from datetime import UTC, datetime

import msgspec

from agent.clock import Clock
from agent.heartbeat import About, body, digest, started
from agent.outbox import Status
from agent.settings import Settings

NOW = datetime(2026, 3, 2, 1, 10, tzinfo=UTC)


def test_a_heartbeat_says_which_boot_how_much_waits_what_was_lost_and_when_the_certificate_ends() -> None:
    status = Status("epoch", 700, 2, 12.3456, {"sockets": 3}, 1, 0)
    about = About("0.1.0", "abc", NOW, "node-1:9443", authorities="d1")

    said = body(Clock(lambda: NOW, lambda: 60.0, "boot"), about, status)

    assert said == {
        "boot_id": "boot",
        "monotonic": 60.0,
        "version": "0.1.0",
        "settings": "abc",
        "outbox_bytes": 700,
        "outbox_reports": 2,
        "outbox_age_seconds": 12.346,
        "drops": {"sockets": 3},
        "refused": 1,
        "forks": 0,
        "certificate_expires_at": "2026-03-02T01:10:00+00:00",
        "authorities": "d1",
        "metrics_address": "node-1:9443",
        "pushed": {"version": 0, "state": "none", "refused": 0},
        "update": {"state": "current", "version": "", "before": "", "why": None, "at": None},
        "every": 30.0,
        "started": 0.0,
        "stopping": False,
        "why": None,
    }
    assert msgspec.json.encode(said)


def test_the_same_settings_have_the_same_digest_and_others_another() -> None:
    assert digest(Settings()) == digest(Settings())
    assert digest(Settings()) != digest(Settings(heartbeat_seconds=31))


def test_a_process_knows_when_it_started_and_that_stays(clock: Clock) -> None:
    first = started()

    assert 0 < first <= clock.monotonic()
    assert started() == first
