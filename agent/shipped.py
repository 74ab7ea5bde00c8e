"""Where the YAML lies that the agent is shipped with: in the wheel inside, in a checkout beside."""

from pathlib import Path


def configs_dir() -> Path:
    """The folder of the shipped settings and lists."""
    package = Path(__file__).resolve().parent
    in_wheel = package / "_shipped"
    return in_wheel if in_wheel.is_dir() else package.parent / "configs"
