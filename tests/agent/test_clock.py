from datetime import timedelta
from pathlib import Path

from agent.clock import host_clock


def test_the_host_clock_tells_an_aware_time_the_boot_and_the_seconds_since_it() -> None:
    clock = host_clock()

    assert clock.now().utcoffset() == timedelta(0)
    assert clock.boot_id == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    uptime = float(Path("/proc/uptime").read_text().split()[0])
    assert abs(clock.monotonic() - uptime) < 5
