"""What every source owes (`agent/sources/port.py`), whichever it is."""

import asyncio
import os
import re
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple, get_args

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from agent.clock import host_clock
from agent.sources import (
    SOURCES,
    BackupsSettings,
    BurstSettings,
    CertificatesSettings,
    FilesSettings,
    LoginsSettings,
    MalwareSettings,
    Observation,
    OutagesSettings,
    Packets,
    Rules,
    RulesSettings,
    SensorLogSettings,
    Sensors,
    Source,
    SourcesSettings,
    WebRoot,
    accept,
    build,
)
from agent.sources.services.backups import Backup, Copy
from agent.sources.services.outages import Service
from agent.tasks import Tasks
from wire.messages import ReportKind

GOLDEN = Path(__file__).parents[1] / "golden/sensors"
# Packets come over a wire, and rules from a collector: what those sources owe, their twins hold.
NAMES = [source.name for source in SOURCES if source not in {Packets, Rules}]
# These show the whole state anew at every start, or keep accepted content in a database of its own.
KEEP_NOTHING = {"asset", "exits", "sockets", "files"}


class Host(NamedTuple):
    """A host's tree with a web root that was tampered with and a log of failed logins."""

    root: Path
    state: Path
    settings: SourcesSettings

    def source(self, name: str) -> Source:
        """A new start of the source."""
        sources = build(self.settings, self.state, self.root, offset=lambda: 3600.0)
        (found,) = [one for one in sources if one.name == name]
        if isinstance(found, Sensors):
            for _ in range(3):
                found.failed("exits", "OSError: no netlink", host_clock().now())
        return found


@pytest.fixture
def host(tmp_path: Path) -> Host:
    site, log, state = tmp_path / "www", tmp_path / "var/log/auth.log", tmp_path / "state"
    for folder in (site, log.parent, state):
        folder.mkdir(parents=True)
    (site / "index.html").write_text("good")
    web = WebRoot(path=str(site))
    accept(web, state)
    (site / "index.html").write_text("bad")
    at = host_clock().now().isoformat()
    log.write_text(f"{at} host sshd[1]: Failed password for root from 203.0.113.9 port 1 ssh2\n" * 9)
    keep(state, "logins", {"place": {"inode": log.stat().st_ino, "offset": 0}})
    for sensor, name in (("suricata", "eve.json"), ("zeek", "notice.log")):
        shutil.copy(GOLDEN / name, tmp_path)
        keep(state, sensor, {"began": True})
    bursts = BurstSettings(by_source=5)
    intrude(tmp_path, state)
    (tmp_path / "ended.pem").write_bytes(ended_certificate())
    return Host(
        tmp_path,
        state,
        msgspec.structs.replace(everything(tmp_path, web), logins=LoginsSettings(bursts=bursts)),
    )


def keep(state: Path, source: str, kept: object) -> None:
    """Leave what a source kept, as `agent/sources/rounds/kept.py` has it."""
    (state / f"{source}.json").write_bytes(msgspec.json.encode({"version": 1, "kept": kept}))


def intrude(root: Path, state: Path) -> None:
    """Leave what an intruder leaves, and what the sources had noted before."""
    (root / "proc/7").mkdir(parents=True)
    (root / "proc/7/exe").symlink_to("/memfd:x (deleted)")
    (root / "proc/7/stat").write_text(f"7 (x) S 1 {'0 ' * 17}5000 0 0")
    for name, text in (
        ("etc/passwd", "toor:x:0:0::/root:/bin/sh\n"),
        ("etc/group", ""),
        ("etc/cron.d/x", "@reboot root /tmp/.x\n"),
        ("tmp/sh", "#!"),
        ("uploads/x.php", "<?php @eval($_POST['x']);"),
        ("var/log/wtmp", ""),
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / "tmp/sh").chmod(0o4755)
    wtmp = {"at": 0, "inode": 1, "size": 384, "head_size": 0, "head": ""}
    for source, notes in (
        ("persistence", {"taken": True}),
        ("privileges", {"taken": True}),
        ("logs", {"files": {"/var/log/wtmp": wtmp}}),
    ):
        keep(state, source, {"notes": notes})


def everything(root: Path, web: WebRoot) -> SourcesSettings:
    """Settings that turn every source on."""
    portal = Service(name="portal", port="127.0.0.1:1", portal=True)
    return SourcesSettings(
        files=FilesSettings(roots=(web,)),
        suricata=SensorLogSettings(files=("/eve.json",)),
        zeek=SensorLogSettings(files=("/notice.log",)),
        outages=OutagesSettings(services=(portal,), down_after=1),
        backups=BackupsSettings(backups=(Backup(name="portal", copies=(Copy(path="/nowhere/*"),)),)),
        certificates=CertificatesSettings(files=(f"{root}/ended.pem",)),
        rules=RulesSettings(enabled=False),
        malware=MalwareSettings(enabled=True, folders=(f"{root}/uploads",)),
    )


def ended_certificate() -> bytes:
    """A certificate that ended yesterday, as PEM."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    ended = host_clock().now() - timedelta(days=1)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, ended - timedelta(days=90), ended)
    return made.sign(key, SHA256()).public_bytes(Encoding.PEM)


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_every_source_has_a_name_of_its_own_and_stands_in_the_order_it_runs_in(host: Host) -> None:
    assert len(set(NAMES)) == len(NAMES)
    assert [one.name for one in build(host.settings, host.state, host.root)] == NAMES


@pytest.mark.parametrize("name", NAMES)
async def test_a_look_tells_json_of_known_kinds_at_the_time_it_was_given(host: Host, name: str) -> None:
    now = host_clock().now()
    reading = await host.source(name).once(now)

    assert reading.observations
    for one in reading.observations:
        assert (one.source, one.observed_at) == (name, now)
        assert one.kind in get_args(ReportKind)
        assert msgspec.json.decode(msgspec.json.encode(one.body)) == one.body
        assert (one.kind == "incident") == ("key" in one.body)


@pytest.mark.parametrize("name", NAMES)
async def test_a_look_leaves_no_trace(host: Host, name: str) -> None:
    before = snapshot(host.root)
    await host.source(name).once(host_clock().now())

    assert snapshot(host.root) == before


@pytest.mark.parametrize("name", NAMES)
async def test_a_look_at_an_empty_host_names_what_is_missing_and_raises_nothing(
    tmp_path: Path, name: str
) -> None:
    settings = everything(tmp_path, WebRoot(path=str(tmp_path / "nowhere")))
    (source,) = [one for one in build(settings, None, tmp_path) if one.name == name]
    reading = await source.once(host_clock().now())

    assert all(one.source == name and one.what and one.why for one in reading.unreadable)


@pytest.mark.parametrize("name", NAMES)
async def test_what_was_not_made_durable_is_told_again_at_the_next_start(host: Host, name: str) -> None:
    """The emit that fails at first is what a full disk looks like."""
    refused: list[Observation] = []

    async def fail(observation: Observation) -> None:
        refused.append(observation)
        raise OSError(28, "No space left on device")

    async with asyncio.timeout(20):
        with pytest.raises(OSError, match="No space left") as raised:
            await host.source(name).watch(fail, host_clock().now)
    assert raised.value.errno == 28
    told = await first(host.source(name))

    assert (told.kind, told.body.get("key")) == (refused[0].kind, refused[0].body.get("key"))


@pytest.mark.parametrize("name", [name for name in NAMES if name not in KEEP_NOTHING])
async def test_kept_state_that_is_damaged_is_told_set_aside_and_begun_anew(host: Host, name: str) -> None:
    (host.state / f"{name}.json").write_bytes(b"{")
    told = await first(host.source(name), lambda one: one.kind == "gap")

    assert f"{name}.json: " in told.body["why"]
    assert (host.state / f"{name}.json.damaged").read_bytes() == b"{"


@pytest.mark.parametrize("name", NAMES)
async def test_a_cool_down_of_an_earlier_life_goes_on_and_is_not_told_again(host: Host, name: str) -> None:
    source = host.source(name)
    source.resume({name: 14.0})
    assert source.blind.startswith("overdrawn, rests 14 s")
    heard: list[Observation] = []

    async def emit(seen: Observation) -> None:
        heard.append(seen)

    before = source.cpu_seconds
    async with Tasks() as tasks:
        tasks.spawn(name, source.watch(emit, host_clock().now))
        for _ in range(20):
            await asyncio.sleep(0)
        tasks.stop()
    assert heard == []
    assert source.cpu_seconds == before


@pytest.mark.parametrize("name", NAMES)
async def test_a_watch_that_is_cancelled_ends_and_leaves_nothing_open(host: Host, name: str) -> None:
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - counting, no paths
    await first(host.source(name))

    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208 - likewise


async def first(source: Source, wanted: Callable[[Observation], bool] = bool) -> Observation:
    """Return the first thing a watch tells that is wanted, and end it."""
    heard: asyncio.Queue[Observation] = asyncio.Queue()
    async with asyncio.timeout(20), Tasks() as tasks:
        tasks.spawn(source.name, source.watch(heard.put, host_clock().now))
        while not wanted(told := await heard.get()):
            pass
        tasks.stop()
    return told


@pytest.mark.parametrize("name", NAMES)
async def test_every_field_that_is_told_stands_in_the_docs(host: Host, name: str) -> None:
    docs = (Path(__file__).parents[2] / "docs/wire.md").read_text("utf-8")
    for one in (await host.source(name).once(host_clock().now())).observations:
        section = docs.split(f"### `{one.kind}`")[1].split("\n### ")[0]
        words = set(re.findall(r"\w+", section))
        told = {key for row in rows(one.body) for key in row}

        assert told <= words


def rows(value: object) -> Iterator[dict[str, object]]:
    """Yield every object of a JSON value, however deep."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from rows(one)
