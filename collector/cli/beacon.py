"""`beacon`: a small server that tells agents the source address it saw, for the opt-in check of exits."""

import argparse
import asyncio
import json
import os
import sys
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import PermanentError
from .telling import language_of, mistaken

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_DEFAULT_KEY = "beacon.key"


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser("beacon", help="answer agents that check their exits")
    parser.set_defaults(wrong_usage=parser.error)
    parser.add_argument("--listen", metavar="ADDRESS:PORT", type=_place, help="where agents ask")
    parser.add_argument(
        "--key",
        metavar="FILE",
        type=Path,
        default=Path(_DEFAULT_KEY),
        help="its key, made if absent",
    )
    parser.add_argument("--show-key", action="store_true", help="print the public key and end")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(args: argparse.Namespace) -> int:
    """Serve until ended.

    Raises:
        PermanentError: the key can't be read or written, or the address can't be listened on.
    """
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 - `--help` starts without it
        Encoding,
        PublicFormat,
    )

    if args.listen is None and not args.show_key:
        args.wrong_usage("the following arguments are required: --listen")
    key = _key(args.key)
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
    if args.show_key:
        print(json.dumps({"public_key": public}) if args.json else public)
        return 0
    host, port = args.listen
    try:
        asyncio.run(_serve(key, host, port, public, args))
    except OSError as error:
        raise PermanentError(f"--listen {host}:{port}: {error.strerror or error}") from None
    return 0


async def _serve(
    key: "Ed25519PrivateKey", host: str, port: int, public: str, args: argparse.Namespace
) -> None:
    from ..beacon import Beacon  # noqa: PLC0415 - see above

    beacon = Beacon(key, lambda: datetime.now(UTC))  # noqa: TID251 - a command is its own clock
    server = await beacon.serve(host, port)
    port = server.sockets[0].getsockname()[1]
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    if args.json:
        print(json.dumps({"address": address, "public_key": public}), flush=True)
    zh = language_of(args) == "zh"
    told = f"信标在 {address},公钥 {public}" if zh else f"beacon at {address}, public key {public}"
    print(told, file=sys.stderr, flush=True)
    async with server:
        await server.serve_forever()


def _key(path: Path) -> "Ed25519PrivateKey":
    """Return the key of a file, made with mode 0600 where there is none."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415 - see above
        Ed25519PrivateKey,
    )
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 - see above
        Encoding,
        NoEncryption,
        PrivateFormat,
        load_pem_private_key,
    )

    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except FileNotFoundError:
        key = Ed25519PrivateKey.generate()
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise PermanentError(f"--key {path}: {error.strerror}") from None
        with os.fdopen(descriptor, "wb") as file:
            file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    except (OSError, ValueError, TypeError) as error:
        raise PermanentError(f"--key {path}: {error}") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise PermanentError(f"--key {path}: a key of another kind, expected Ed25519; name another file")
    return key


def _place(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    try:
        address = str(ip_address(host.strip("[]")))
        number = int(port)
    except ValueError:
        raise mistaken(text, "an IP address and a port, as 10.0.0.1:8081") from None
    if not 0 <= number <= 65535:
        raise mistaken(text, "a port from 0 to 65535")
    return address, number
