"""For which hosts a bundle is: a tar of wheels, made by packaging/make_bundle.py on one like them."""

import re
import tarfile
from pathlib import Path

import msgspec

from wire.releases import ANY, Offer

from .release_keys import ReleasesError

_WHEEL = re.compile(
    r"(?P<name>[^-]+)-(?P<version>[^-]+)(-\d[^-]*)?-(?P<python>[^-]+)-(?P<abi>[^-]+)-(?P<platform>[^-]+)\.whl"
)
_MACHINE = re.compile(r".*?(many|musl)?linux(_\d+_\d+|\d+)?_")


def offer_of(bundle: Path) -> Offer:
    """Return what a bundle is: its version, and the hosts that its wheels are for.

    Raises:
        ReleasesError: it holds no wheel of the agent, or can't be read.
    """
    try:
        with tarfile.open(bundle, "r:") as archive:
            names = [Path(name).name for name in archive.getnames() if name.endswith(".whl")]
    except OSError as error:
        raise ReleasesError(f"{bundle}: {error.strerror}") from None
    except tarfile.TarError as error:
        raise ReleasesError(f"{bundle}: {error}") from None
    wheels = [found.groupdict() for name in names if (found := _WHEEL.fullmatch(name))]
    version = next((one["version"] for one in wheels if one["name"] == "fengsui"), "-")
    built = [one for one in wheels if one["platform"] != ANY]
    platform = next((f"linux_{_MACHINE.sub('', one['platform'])}" for one in built), ANY)
    python = next((one["python"] for one in built if one["abi"] == one["python"]), ANY)
    path = f"fengsui-agent-{version}-{python}-{platform}.tar"
    try:
        return msgspec.convert(
            {"version": version, "path": path, "platform": platform, "python": python}, Offer
        )
    except msgspec.ValidationError:
        raise ReleasesError(
            f"{bundle}: found no wheel of fengsui N.N.N, expected what packaging/make_bundle.py makes"
        ) from None
