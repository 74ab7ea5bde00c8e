from hashlib import sha256
from pathlib import Path

from aiohttp import ClientSession

from collector import console
from collector.console.static import Files
from tests.browser.watch_room import Room

HOME = Path(console.__file__).parent / "static"


async def test_a_file_may_be_kept_for_ever_under_its_marked_name(room: Room) -> None:
    async with ClientSession(room.url) as session:
        async with session.get(Files().url("console.css")) as marked:
            assert (marked.status, marked.content_type) == (200, "text/css")
            assert "immutable" in marked.headers["Cache-Control"]
        async with session.get("/static/console.css") as plain:
            assert plain.headers["Cache-Control"] == "no-cache"


async def test_nothing_else_of_the_disk_is_served(room: Room) -> None:
    async with ClientSession(room.url) as session:
        for name in ("../pages.py", "%2e%2e/pages.py", "vendor", "nothing", "/etc/passwd"):
            async with session.get(f"/static/{name}") as answer:
                assert answer.status == 404, name


def test_what_others_wrote_is_as_they_published_it_with_its_licence() -> None:
    published = {
        "htmx-2.0.11.min.js": "d6fdc75f204e6bdefa99b69bf1e6d4ac69b8a364f77929f45c13476b4000f717",
        "idiomorph-ext-0.8.0.min.js": "5811b9a7eda14878b7dab4378bf60432e1bb6f11fcfb970cc26540642650181e",
    }

    for name, digest in published.items():
        assert sha256((HOME / "vendor" / name).read_bytes()).hexdigest() == digest
    assert {"htmx-LICENSE", "idiomorph-LICENSE"} <= {path.name for path in (HOME / "vendor").iterdir()}
