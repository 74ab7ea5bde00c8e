import os
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.sources.pages.whowrote import WhoWrote

pytestmark = pytest.mark.root


@pytest.fixture
def who(tmp_path: Path) -> Iterator[WhoWrote]:
    if os.geteuid() != 0:
        pytest.skip("needs root")
    found = WhoWrote.open()
    assert found is not None
    assert found.mark(tmp_path)
    yield found
    found.close()


def heard(who: WhoWrote, path: Path) -> dict[str, object] | None:
    assert select.select([who], [], [], 10)[0]
    who.drain()
    return who.last([str(path)]).get(str(path))


def test_the_process_that_wrote_is_named_after_it_closed_the_file(who: WhoWrote, tmp_path: Path) -> None:
    page = tmp_path / "index.html"
    script = f"open({str(page)!r}, 'w').write('0wned'); print('done', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        found = heard(who, page)
        writer.communicate(b"\n")

    assert found is not None
    assert found["pid"] == writer.pid
    assert "python" in str(found["program"])


def test_a_process_that_is_gone_stays_a_number(who: WhoWrote, tmp_path: Path) -> None:
    page = tmp_path / "index.html"
    with subprocess.Popen(["sh", "-c", f"echo x > {page}"]) as writer:
        writer.wait()
    found = heard(who, page)

    assert found == {"pid": writer.pid, "name": None, "program": None, "uid": None}


def test_reading_is_not_writing_and_other_folders_are_not_heard(who: WhoWrote, tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below/page.html").write_text("x")
    os.listdir(tmp_path)  # noqa: PTH208 - a read
    who.drain()

    assert who.last([str(tmp_path / "below/page.html")]) == {}


def test_a_folder_that_is_not_there_can_not_be_marked(who: WhoWrote, tmp_path: Path) -> None:
    assert who.mark(tmp_path / "nowhere") is False


def test_only_so_many_files_are_remembered(who: WhoWrote, tmp_path: Path) -> None:
    for number in range(1100):
        (tmp_path / f"{number}.html").write_text("x")
    who.drain()
    paths = [str(tmp_path / f"{number}.html") for number in range(1100)]

    assert len(who.last(paths)) == 1000
    assert paths[-1] in who.last(paths)
