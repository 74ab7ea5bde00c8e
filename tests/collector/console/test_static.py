import re
from hashlib import sha256
from pathlib import Path

import pytest
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


def _light(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    high, low = sorted((_light(one), _light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_text_can_be_read_on_its_ground(theme: str) -> None:
    light, _, dark = (HOME / "console.css").read_text("utf-8").partition("prefers-color-scheme: dark")
    block = light if theme == "light" else dark.partition("}\n}")[0]
    colour = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", block))
    texts = ["ink", "soft", "link", "l1", "l2", "l3", "l4", "good", "warn", "bad"]
    pairs = [(text, ground) for text in texts for ground in ("paper", "ground")]
    pairs += [("soft", "sunk"), ("ink", "sunk"), ("bad", "lateg"), ("paper", "link")]
    pairs += [(f"l{level}", f"l{level}g") for level in range(1, 5)]

    assert {
        pair: ratio for pair in pairs if (ratio := _contrast(*(colour[name] for name in pair))) < 4.5
    } == {}
