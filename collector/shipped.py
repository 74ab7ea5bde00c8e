"""Which release this is, and where the shipped YAML lies: in the wheel inside, in a checkout beside."""

from pathlib import Path


def configs_dir() -> Path:
    """The folder of the shipped settings, regimes and escalation chains."""
    return _folder("configs")


def playbooks_dir() -> Path:
    """The folder of the shipped emergency plans."""
    return _folder("playbooks")


def _folder(name: str) -> Path:
    package = Path(__file__).resolve().parent
    in_wheel = package / "_shipped" / name
    return in_wheel if in_wheel.is_dir() else package.parent / name


def release() -> str:
    """Return the version of the program; 0 where a wheel was unpacked by hand."""
    # A seventh of what a short command takes to start, and most ask no version.
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - see above

    try:
        return version("fengsui")
    except PackageNotFoundError:
        return "0"
