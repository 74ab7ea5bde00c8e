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
    twins = [
        path.relative_to(ROOT / "tests")
        for wing in ("wire", "agent", "collector")
        for path in (ROOT / "tests" / wing).rglob("test_*.py")
    ]
    orphans = [
        str(twin)
        for twin in twins
        if not (ROOT / twin.parent / twin.name.removeprefix("test_")).exists()
        and not (ROOT / twin.parent / twin.stem.removeprefix("test_")).is_dir()
    ]

    assert orphans == []
