import asyncio
import mmap
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.clock import Clock, host_clock
from agent.sources.pages import comparison, files
from agent.sources.pages.baseline import Baseline
from agent.sources.pages.files import Files, FilesSettings
from agent.sources.pages.manifest import of_site, public_text, sign
from agent.sources.pages.webroot import WebRoot, accept
from agent.sources.pages.windows import DeployWindow
from agent.sources.port import Observation

Watching = Callable[..., AbstractAsyncContextManager[Any]]
Eventually = Callable[[Callable[[], object]], Coroutine[Any, Any, None]]
Accepted = Callable[[], Coroutine[Any, Any, None]]
GOOD = "<h1>Town hall</h1>\n"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    top = tmp_path / "www"
    (top / "news").mkdir(parents=True)
    (top / "index.html").write_text(GOOD)
    (top / "news/1.html").write_text("one\n")
    return top


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def guard(site: Path, state: Path | None, **settings: Any) -> Files:  # noqa: ANN401 - fields of the settings
    roots = (WebRoot(path=str(site)),)
    return Files(FilesSettings(roots=roots, **{"settle": 0.05, **settings}), state=state)


def incident(one: Observation) -> bool:
    return one.kind == "incident"


@pytest.fixture
def accepted(site: Path, state: Path, eventually: Eventually) -> Callable[[], Coroutine[Any, Any, None]]:
    """Wait until the first start has taken the content."""
    return lambda: eventually(lambda: Baseline(site, state).generation())


async def test_a_tampered_home_page_is_an_incident_and_its_restoration_ends_it(
    site: Path, state: Path, watching: Watching, accepted: Accepted
) -> None:
    async with watching(guard(site, state)) as heard:
        await accepted()
        (site / "index.html").write_text("<h1>0wned</h1>\n")
        begun = await heard.until(incident)
        assert begun.body["key"] == f"files:{site}"
        assert begun.body["class"] == "NAWEBMOD"
        since = datetime.fromisoformat(begun.body["facts"]["homepage_tampered_since"])
        assert abs((since - host_clock().now()).total_seconds()) < 10
        assert begun.body["evidence"][0]["diff"] == "@@ line 1\n-<h1>Town hall</h1>\n+<h1>0wned</h1>"

        (site / "index.html").write_text(GOOD)
        ended = await heard.until(lambda one: one.body["restored"])
        assert ended.body["key"] == begun.body["key"]
        assert ended.body["facts"] == {"homepage_tampered_minutes": 1}
        assert ended.body["count"] == 1


@pytest.fixture
def home_pages_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_HOME_SECONDS", 0.2)


def write_by_memory(page: Path) -> None:
    with page.open("r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
        memory[4:9] = b"0wned"
        memory.flush()


def write_by_another_name(page: Path) -> None:
    other = page.parents[1] / "other"
    other.hardlink_to(page)
    other.write_text("<h1>0wned</h1>\n")
    other.unlink()


@pytest.mark.parametrize("deed", [write_by_memory, write_by_another_name])
@pytest.mark.usefixtures("home_pages_often")
async def test_a_home_page_that_was_changed_unheard_is_found_by_the_next_look_at_home_pages(
    site: Path, state: Path, watching: Watching, accepted: Accepted, deed: Callable[[Path], None]
) -> None:
    async with watching(guard(site, state)) as heard:
        await accepted()
        await asyncio.to_thread(deed, site / "index.html")
        report = await heard.until(incident)

    assert "homepage_tampered_since" in report.body["facts"]


async def test_a_clock_that_is_set_makes_no_tampering_older(
    site: Path, state: Path, watching: Watching, accepted: Accepted
) -> None:
    host = host_clock()
    behind = [timedelta(days=400)]
    clock = Clock(now=lambda: host.now() - behind[0], monotonic=host.monotonic, boot_id=host.boot_id)
    async with watching(guard(site, state), clock) as heard:
        await accepted()
        (site / "index.html").write_text("<h1>0wned</h1>\n")
        begun = await heard.until(incident)
        behind[0] = timedelta()
        (site / "news/1.html").write_text("0wned too\n")
        grown = await heard.until(lambda one: len(one.body["evidence"]) == 2)

    first, second = (
        datetime.fromisoformat(one.body["facts"]["homepage_tampered_since"]) for one in (begun, grown)
    )
    assert first < host.now() - timedelta(days=399)
    assert abs((second - host.now()).total_seconds()) < 10
    assert datetime.fromisoformat(grown.body["first_seen"]) == second


async def test_a_deployment_is_one_incident(
    site: Path, state: Path, watching: Watching, accepted: Accepted
) -> None:
    async with watching(guard(site, state, settle=0.3)) as heard:
        await accepted()
        for number in range(200):
            (site / f"news/{number}.html").write_text(f"release 2, {number}")
        report = await heard.until(incident)

        assert report.body["count"] == 200
        assert len(heard.heard) == 1


async def test_a_flood_of_pages_is_one_incident_that_ends_when_the_last_of_them_is_gone(
    site: Path, state: Path, watching: Watching, accepted: Accepted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More pages than are named: those that are only counted are looked for again and again."""
    monkeypatch.setattr(comparison, "TRACKED", 20)
    async with watching(guard(site, state, repeat=0.2)) as heard:
        await accepted()
        for number in range(100):
            (site / f"news/spam{number}.html").write_text("spam")
        await heard.until(lambda one: one.body.get("evidence_total") == 100)
        for number in range(99):
            (site / f"news/spam{number}.html").unlink()
        left = await heard.until(lambda one: one.body.get("evidence_total") == 1)
        assert not left.body["restored"]
        (site / "news/spam99.html").unlink()
        await heard.until(lambda one: bool(one.body["restored"]))

        assert {one.body["key"] for one in heard.heard} == {f"files:{site}"}


async def test_what_was_counted_beyond_the_named_is_known_after_a_restart(
    site: Path, state: Path, watching: Watching, monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    monkeypatch.setattr(comparison, "TRACKED", 20)
    accept(WebRoot(path=str(site)), state)
    for number in range(100):
        (site / f"news/spam{number}.html").write_text("spam")
    async with watching(guard(site, state)) as heard:
        await heard.until(lambda one: one.body.get("evidence_total") == 100)
        await eventually(lambda: Baseline(site, state).told()[1])
    for number in range(100):
        (site / f"news/spam{number}.html").unlink()
    async with watching(guard(site, state)) as heard:
        ended = await heard.until(incident)

        assert ended.body["restored"]
        assert ended.body["count"] == 100


async def test_what_changed_while_the_agent_was_down_is_told_at_its_start(
    site: Path, state: Path, watching: Watching
) -> None:
    accept(WebRoot(path=str(site)), state)
    (site / "news/1.html").unlink()
    async with watching(guard(site, state)) as heard:
        report = await heard.until(incident)

        assert [(one["path"], one["change"]) for one in report.body["evidence"]] == [
            ("news/1.html", "deleted")
        ]
        assert "page_tampered_since" in report.body["facts"]


async def test_what_was_told_is_not_told_again_after_a_restart(
    site: Path, state: Path, watching: Watching, eventually: Eventually
) -> None:
    accept(WebRoot(path=str(site)), state)
    (site / "index.html").write_text("changed")
    async with watching(guard(site, state)) as heard:
        first = await heard.until(incident)
        await eventually(lambda: Baseline(site, state).told()[0])
    async with watching(guard(site, state)) as heard:
        (site / "news/new.html").write_text("x")
        second = await heard.until(incident)

    assert second.body["count"] == 2
    assert second.body["first_seen"] == first.body["first_seen"]
    assert second.body["facts"]["homepage_tampered_since"] == first.body["facts"]["homepage_tampered_since"]


async def test_a_report_that_did_not_become_durable_is_told_again(
    site: Path, state: Path, watching: Watching
) -> None:
    accept(WebRoot(path=str(site)), state)
    (site / "index.html").write_text("changed")

    class FullDisk:
        def __init__(self) -> None:
            self.asked = asyncio.Event()

        async def emit(self, _: Observation) -> None:
            self.asked.set()
            await asyncio.Event().wait()  # until the agent is killed

    disk = FullDisk()
    async with watching(guard(site, state), listener=disk):
        async with asyncio.timeout(10):
            await disk.asked.wait()
    assert Baseline(site, state).told() == ({}, None)
    async with watching(guard(site, state)) as heard:
        assert (await heard.until(incident)).body["count"] == 1


async def test_a_folder_full_of_files_that_goes_and_comes_back_leaves_nothing(
    site: Path, state: Path, watching: Watching, accepted: Accepted, tmp_path: Path
) -> None:
    async with watching(guard(site, state)) as heard:
        await accepted()
        (site / "news").rename(tmp_path / "elsewhere")
        gone = await heard.until(incident)
        assert gone.body["evidence"][0]["path"] == "news/1.html"
        shutil.copytree(tmp_path / "elsewhere", site / "news")
        await heard.until(lambda one: one.body["restored"])


async def test_a_file_that_changes_for_ever_is_told_at_a_growing_distance(
    site: Path, state: Path, watching: Watching, accepted: Accepted
) -> None:
    async with watching(guard(site, state, settle=0.02, repeat=60.0)) as heard:
        await accepted()
        until = asyncio.get_running_loop().time() + 2.0
        number = 0
        while asyncio.get_running_loop().time() < until:
            number += 1
            (site / "news/counter.txt").write_text(str(number))
            await asyncio.sleep(0.01)
        await heard.until(incident)

        assert len(heard.heard) <= 9  # 0.04 + 0.08 + … reaches two seconds in six steps


async def test_new_content_that_a_person_accepts_ends_the_incident(
    site: Path, state: Path, watching: Watching, accepted: Accepted
) -> None:
    async with watching(guard(site, state, rescan=0.2)) as heard:
        await accepted()
        (site / "index.html").write_text("<h1>A new design</h1>\n")
        await heard.until(incident)
        accept(WebRoot(path=str(site)), state)

        await heard.until(lambda one: one.body["restored"])


async def test_once_compares_and_leaves_no_trace(site: Path, state: Path) -> None:
    accept(WebRoot(path=str(site)), state)
    (site / "index.html").write_text("changed")
    source = guard(site, state)
    before = Baseline(site, state).file.read_bytes()
    reading = await source.once(host_clock().now())

    assert [one.body["key"] for one in reading.observations] == [f"files:{site}"]
    assert Baseline(site, state).file.read_bytes() == before


async def test_once_names_a_root_that_nobody_accepted_yet(site: Path, state: Path) -> None:
    for folder in (state, None):
        reading = await guard(site, folder).once(datetime(2026, 3, 2, tzinfo=UTC))
        (one,) = reading.unreadable

        assert one.what == str(site)
        assert "no accepted content yet" in one.why


async def test_a_damaged_baseline_is_a_gap_and_no_crash(site: Path, state: Path, watching: Watching) -> None:
    accept(WebRoot(path=str(site)), state)
    Baseline(site, state).file.write_bytes(b"no database" * 1000)
    async with watching(guard(site, state)) as heard:
        gap = await heard.until(lambda one: one.kind == "gap")

        assert "not a database" in gap.body["why"]


async def test_without_a_state_folder_there_is_no_watching(site: Path) -> None:
    with pytest.raises(ValueError, match="state folder"):
        await guard(site, None).watch(lambda _: asyncio.sleep(0), host_clock().now)


@pytest.mark.root
async def test_who_tampered_is_named_while_it_lives(
    site: Path, state: Path, watching: Watching, accepted: Accepted
) -> None:
    """By root; the writer has closed the file long before the burst has settled."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    script = f"open({str(site / 'index.html')!r}, 'w').write('0wned'); input()"
    async with watching(guard(site, state)) as heard:
        await accepted()
        writer = await asyncio.create_subprocess_exec(sys.executable, "-c", script, stdin=subprocess.PIPE)
        report = await heard.until(incident)
        await writer.communicate(b"\n")

        assert report.body["evidence"][0]["process"]["pid"] == writer.pid


HIDDEN = '<div style="display:none"><a href="http://bet.example/">x</a></div>\n'


async def test_a_hidden_link_is_an_incident_of_its_own_and_over_when_it_is_gone(
    site: Path, state: Path, watching: Watching, accepted: Accepted
) -> None:
    async with watching(guard(site, state)) as heard:
        await accepted()
        (site / "index.html").write_text(GOOD + HIDDEN)
        begun = await heard.until(lambda one: one.body.get("class") == "NALINK")
        (site / "index.html").write_text(GOOD)
        over = await heard.until(lambda one: one.body.get("class") == "NALINK" and one.body["restored"])

    assert begun.body["key"] == over.body["key"] == f"files:links:{site}"
    assert begun.body["severity_hint"] == "high"
    (item,) = begun.body["evidence"]
    assert (item["path"], item["url"], item["why"], item["line"]) == (
        "index.html",
        "http://bet.example/",
        "hidden by style",
        2,
    )


async def test_a_change_without_hidden_links_and_one_that_had_them_before_bring_no_such_incident(
    site: Path, state: Path, watching: Watching, accepted: Accepted
) -> None:
    (site / "news/1.html").write_text(HIDDEN)
    async with watching(guard(site, state)) as heard:
        await accepted()
        (site / "news/1.html").write_text(HIDDEN + "<p>more</p>")
        (site / "index.html").write_text(GOOD + "<p>news</p>")
        await heard.until(lambda one: len(one.body.get("evidence", ())) == 2)

    assert {one.body["class"] for one in heard.heard} == {"NAWEBMOD"}


async def test_a_name_that_is_no_text_blinds_nobody(
    site: Path, state: Path, watching: Watching, accepted: Accepted
) -> None:
    (site / os.fsdecode(b"\xff\xfe.php")).write_bytes(b"<?php old")
    async with watching(guard(site, state)) as heard:
        await accepted()
        (site / os.fsdecode(b"\xff\xfe.php")).write_bytes(b"<?php eval($_POST[1]);")
        (site / os.fsdecode(b"\xe6" * 250)).write_bytes(b"x")
        told = await heard.until(lambda one: len(one.body.get("evidence", ())) == 2)

    assert {one["path"] for one in told.body["evidence"]} == {"bytes:fffe2e706870", "bytes:" + "e6" * 250}


async def test_a_change_in_a_window_is_told_when_it_closes(
    site: Path, state: Path, watching: Watching, accepted: Accepted
) -> None:
    """A window that is open now, by a clock that jumps over its end when told."""
    real = host_clock()
    ahead = timedelta()
    local = real.now().astimezone()
    window = DeployWindow(begin=f"{local:%H:%M}", end=f"{local + timedelta(hours=2):%H:%M}")
    root = WebRoot(path=str(site), deploy_windows=(window,))
    files = Files(FilesSettings(roots=(root,), settle=0.05, rescan=0.2), state=state)
    async with watching(files, lambda: real.now() + ahead) as heard:
        await accepted()
        (site / "index.html").write_text("<h1>release 2</h1>")
        with pytest.raises(TimeoutError):
            await heard.until(incident, within=1.0)
        ahead = timedelta(hours=3)
        told = await heard.until(incident)

    since = datetime.fromisoformat(told.body["facts"]["homepage_tampered_since"])
    assert abs((since - real.now()).total_seconds()) < 60


async def test_what_a_signed_deployment_brings_is_no_tampering_and_anything_else_is(
    site: Path, state: Path, watching: Watching, accepted: Accepted
) -> None:
    key = Ed25519PrivateKey.generate()
    place = site.parent / "portal.manifest"
    root = WebRoot(path=str(site), manifest=str(place), manifest_key=public_text(key))
    async with watching(Files(FilesSettings(roots=(root,), settle=0.05), state=state)) as heard:
        await accepted()
        built = site.parent / "build"
        shutil.copytree(site, built)
        (built / "index.html").write_text("<h1>release 2</h1>")
        place.write_bytes(sign(of_site(WebRoot(path=str(built)), 2), key))
        (site / "index.html").write_text("<h1>release 2</h1>")
        (site / "news/shell.php").write_text("<?php eval($_POST[1]);")
        told = await heard.until(incident)

    assert [one["path"] for one in told.body["evidence"]] == ["news/shell.php"]
