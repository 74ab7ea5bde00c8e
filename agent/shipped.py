"""Which release this is, and where the shipped YAML lies: in the wheel inside, in a checkout beside."""

from pathlib import Path


def configs_dir() -> Path:
    """The folder of the shipped settings and lists."""
    package = Path(__file__).resolve().parent
    in_wheel = package / "_shipped"
    return in_wheel if in_wheel.is_dir() else package.parent / "configs"


def release() -> str:
    """Return the version of the program; `checkout` where it was never installed."""
    # A seventh of what a short command takes to start, and most ask no version.
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - see above

    try:
        return version("fengsui")
    except PackageNotFoundError:
        return "checkout"
