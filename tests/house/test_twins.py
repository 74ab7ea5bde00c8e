"""A source file has a twin, so that its tests stay where a reader looks for them."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
WITHOUT_BEHAVIOUR = {"__init__.py", "__main__.py", "port.py"}


def sources() -> list[Path]:
    return [
        path.relative_to(ROOT)
        for wing in ("wire", "agent", "collector")
        for path in sorted((ROOT / wing).rglob("*.py"))
        if path.name not in WITHOUT_BEHAVIOUR and "migrations" not in path.parts
    ]


def test_every_source_file_has_its_twin() -> None:
    lonely = [
        str(path) for path in sources() if not (ROOT / "tests" / path.parent / f"test_{path.name}").exists()
    ]

    assert lonely == []


def test_every_twin_has_its_source_file() -> None:
    """A test is named after its file, or after a room of which it tests the whole."""
    orphans = []
    for wing in ("wire", "agent", "collector"):
        for twin in (ROOT / "tests" / wing).rglob("test_*.py"):
            room = ROOT / twin.relative_to(ROOT / "tests").parent
            names = {path.stem for path in room.iterdir()} | {room.name, "docs"}
            words = twin.stem.removeprefix("test_").split("_")
            if not names & {"_".join(words[:count]) for count in range(1, len(words) + 1)}:
                orphans.append(str(twin.relative_to(ROOT)))

    assert orphans == []
