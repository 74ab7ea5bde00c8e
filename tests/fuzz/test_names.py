"""A file may be called anything: its name reaches the console, escaped, and hides nothing beside it."""

import base64
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agent.actions import Asked, CollectEvidence
from agent.clock import host_clock
from agent.sources.host.persistence import Baseline, Persistence, PersistenceSettings
from agent.sources.host.setuid import Known, Setuid, SetuidSettings
from agent.sources.names import shown
from agent.sources.pages.files import Files, FilesSettings
from agent.sources.pages.tree import TreeWatch
from agent.sources.pages.webroot import WebRoot, accept
from agent.sources.port import Observation
from agent.sources.programs.malware import Malware, MalwareSettings, Scanned
from agent.sources.programs.procfs import describe
from agent.sources.rounds.patrol import NoNotes
from agent.sources.services.backups import Backup, Backups, BackupsSettings, Copy
from collector.store import schema
from tests.fuzz.journey import journey
from wire.messages import Order
from wire.orders import read_params

NOW = host_clock().now()
NAMES = {
    "newline": b"a\nb.php",
    "no text": b"\xff\xfe.php",
    "half a letter": b"\xe5\xb8.php",
    "a terminal's own": b"\x1b[2J\x07.php",
    "text turned around": "\u202ephp.exe".encode(),
    "markup": b"<script>alert(1)<.php",
    "the mark of escaped names": b"bytes:ff.php",
    "255 bytes": b"x" * 251 + b".php",
    "quotes": b"'\";--.php",
}
SHELL = b"<?php @eval($_POST['x']); ?>"
DEEP = 3900


def fill(folder: Path, content: bytes) -> set[str]:
    """Put a file of every name into a folder, and one at the end of a path of 3.9 KB."""
    for name in NAMES.values():
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_bytes(content)
    deep = folder
    while len(os.fsencode(deep)) < DEEP - 110:
        deep = deep / ("d" * 100)
    deep.mkdir(parents=True)
    (deep / ("e" * (DEEP - len(os.fsencode(deep)) - 1))).write_bytes(content)
    return {os.fsdecode(name) for name in NAMES.values()} | {"e"}


def beyond(folder: Path) -> None:
    """A folder whose path is longer than any that can be asked for (PATH_MAX, 4096 bytes)."""
    handle = os.open(folder, os.O_RDONLY)
    for _ in range(45):
        os.mkdir("p" * 100, dir_fd=handle)
        inner = os.open("p" * 100, os.O_RDONLY, dir_fd=handle)
        os.close(handle)
        handle = inner
    with os.fdopen(os.open("x.php", os.O_WRONLY | os.O_CREAT, dir_fd=handle), "wb") as file:
        file.write(SHELL)
    os.close(handle)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "www"
    folder.mkdir()
    (folder / "index.html").write_text("home")
    yield folder
    subprocess.run(["rm", "-rf", str(folder)], check=True)  # what Python cannot name, rm removes step by step


async def web_root(site: Path) -> list[Observation]:
    root = WebRoot(path=str(site))
    accept(root, site.parent)
    fill(site, b"defaced")
    beyond(site)
    reading = await Files(FilesSettings(roots=(root,)), state=site.parent).once(NOW)
    return list(reading.observations)


def persistence(site: Path) -> list[Observation]:
    cron = site / "etc/cron.d"
    cron.mkdir(parents=True)
    (site / "etc/passwd").write_bytes(b"root:x:0:0::/root:/bin/sh\nx:x:1000:1000::/home/\xff:/bin/sh\n")
    source = Persistence(PersistenceSettings(), state=site.parent, root=site)
    before = msgspec.convert(source.look(NOW, Baseline(), alone=False).notes, Baseline)
    fill(cron, b"* * * * * root x\n")
    return told_by("persistence", source.look(NOW, before, alone=False).findings)


def malware(site: Path) -> list[Observation]:
    pytest.importorskip("yara_x")
    fill(site, SHELL)
    beyond(site)
    source = Malware(MalwareSettings(folders=()), roots=(str(site),), state=None, rest=lambda _: None)
    return told_by("malware", source.look(NOW, Scanned(), alone=False).findings)


def told_by(source: str, findings: Any) -> list[Observation]:  # noqa: ANN401 - a tuple of findings
    assert findings
    return [
        Observation(
            "incident", source, NOW,
            {
                "key": one.key, "class": one.klass, "severity_hint": one.severity_hint, "facts": {},
                "source_address": None, "target_address": None, "target": one.target, "count": one.count,
                "first_seen": NOW, "last_seen": NOW, "restored": False, "evidence": one.evidence[:40],
                "evidence_total": len(one.evidence),
            },
        )
        for one in findings
    ]  # fmt: skip


@pytest.mark.parametrize("source", [web_root, persistence, malware], ids=lambda one: one.__name__)
async def test_whatever_files_are_called_their_report_is_read_at_the_console(
    source: Callable[[Path], Any], site: Path, tmp_path: Path
) -> None:
    seen = source(site)
    observations = seen if isinstance(seen, list) else await seen
    paths = {item["path"] for one in observations for item in one.body.get("evidence", [])}
    kinds = {one.kind for one in observations}
    room = tmp_path / "room"
    room.mkdir()
    async with journey(room) as way:
        await way.report(observations)
        incidents, aside = await way.rows(schema.incidents), await way.rows(schema.quarantine)
        pages = await way.pages()

    assert "incident" in kinds
    assert len(paths) >= len(NAMES), "a file of each name is told, none hides another"
    if source is not persistence:  # which looks at folders by name
        assert any(len(path) > 900 for path in paths), "the one at the end of 3.9 KB as well"
    assert incidents
    assert aside == []
    page = "".join(pages.values())
    assert "<script>alert(1)" not in page
    assert "\x1b" not in page
    assert "\x07" not in page


def test_a_program_of_any_name_is_described_and_stands_in_the_evidence(tmp_path: Path) -> None:
    program = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\nsleep"))
    program.write_bytes(Path("/bin/sleep").read_bytes())
    program.chmod(0o755)
    child = subprocess.Popen([os.fsencode(program), "30"], cwd=tmp_path)
    try:
        seen = describe(Path("/proc"), str(child.pid))
        asked = Order(
            id="o1", node="n", kind="collect_evidence", params={"items": ["processes"]},
            issued_at=NOW, deadline=NOW,
        )  # fmt: skip
        params = read_params("collect_evidence", asked.params)
        manifest, *chunks = CollectEvidence((), 4_000_000).carry_out(Asked(asked, params, NOW)).evidence
    finally:
        child.kill()
        child.wait()

    document = msgspec.json.decode(b"".join(base64.b64decode(chunk["data"]) for chunk in chunks))
    mine = next(one for one in document["taken"]["processes"] if one["pid"] == child.pid)
    assert seen["program"] == shown(program) == f"{tmp_path}/\\xff\nsleep"
    assert manifest["chunks"] == len(chunks)
    assert mine["exe"] == seen["program"]
    assert document["unreadable"] == []


async def test_what_lies_beyond_any_path_is_named_as_not_looked_at(site: Path) -> None:
    root = WebRoot(path=str(site))
    accept(root, site.parent)
    beyond(site)

    reading = await Files(FilesSettings(roots=(root,)), state=site.parent).once(NOW)
    scanner = Malware(MalwareSettings(folders=()), roots=(str(site),), state=None, rest=lambda _: None)
    scanned = scanner.look(NOW, Scanned(), alone=False)

    assert any("too long" in one.why for one in reading.unreadable), reading
    assert [what for what, why in scanned.unreadable if "too long" in why] == ["1 folders"]


def loops(folder: Path) -> None:
    """Links to themselves, to each other, to where they stand, above, and to everything."""
    inner = folder / "inner"
    inner.mkdir()
    (inner / "page.html").write_text("page")
    for name, target in {
        "self": "self", "one": "two", "two": "one", "here": ".", "parent": "..", "root": "/",
        "far": str(folder), "nowhere": "/nowhere", "terminal": "/dev/zero", "process": "/proc/self/cwd",
    }.items():  # fmt: skip
        (folder / name).symlink_to(target)
        (inner / name).symlink_to(target)


async def test_links_that_lead_in_circles_are_told_as_links_and_never_followed(site: Path) -> None:
    root = WebRoot(path=str(site))
    accept(root, site.parent)
    loops(site)

    reading = await Files(FilesSettings(roots=(root,)), state=site.parent).once(NOW)

    (seen,) = reading.observations
    assert seen.body["count"] == seen.body["evidence_total"] == 21  # ten links twice, and the page


def test_no_walk_goes_round_and_round(site: Path) -> None:
    """Each of them ends, and sees the one page and the home page once."""
    loops(site)
    cron = site / "etc/cron.d"
    cron.mkdir(parents=True)
    for name in ("self", "parent", "root"):
        (cron / name).symlink_to({"self": "self", "parent": "..", "root": "/"}[name])

    scanner = Malware(MalwareSettings(folders=()), roots=(str(site),), state=None, rest=lambda _: None)
    names = {Path(path).name for path, _ in scanner._files([])}
    special = Setuid(SetuidSettings(hot=("/",), cold=("/",)), state=None, root=site)
    noted = Persistence(PersistenceSettings(), state=None, root=site).look(NOW, Baseline(), alone=False)
    backup = Backups(
        BackupsSettings(backups=(Backup(name="b", copies=(Copy(path=f"{site}/*/*"),)),)), state=None
    )
    watched: list[Path] = []
    tree = TreeWatch([site], lambda *_: False, watched.append)
    tree.watch_all()
    tree.close()

    assert names == {"index.html", "page.html"}
    assert special.look(NOW, Known(), alone=True).findings == ()
    assert {Path(name).name for name in msgspec.convert(noted.notes, Baseline).files} == {
        "self",
        "parent",
        "root",
    }
    assert len(backup.look(NOW, NoNotes(), alone=True).findings) <= 1
    assert {path.relative_to(site).as_posix() for path in watched} == {".", "inner", "etc", "etc/cron.d"}
