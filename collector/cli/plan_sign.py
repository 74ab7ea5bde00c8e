"""`plan sign` and `plan verify`: signatures of CACAO playbooks, made and checked without a network."""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ..errors import PermanentError
from ..plans.cacao import identifier
from ..plans.cacao_json import read_json
from ..runs.playbooks import read_text
from ..yaml_marks import Mistakes

if TYPE_CHECKING:
    from ..plans.jss import Verdict

_WORDS = {
    "zh": {
        "good": "签名有效,签署者受信",
        "stranger": "签名有效,但密钥不在受信之列",
        "out_of_time": "签名有效,但不在有效期内",
        "unverified": "无法验证",
        "revoked": "签署者已撤销",
        "bad": "签名无效",
        "none": "没有签名",
    },
    "en": {
        "good": "good, by a trusted key",
        "stranger": "good, by a key that is not trusted here",
        "out_of_time": "good, but not valid now",
        "unverified": "cannot be verified here",
        "revoked": "revoked by its maker",
        "bad": "not good",
        "none": "no signatures",
    },
}


def add_parsers(commands: Any) -> None:  # noqa: ANN401 - argparse does not export the class
    """Add both commands."""
    made = commands.add_parser("sign", help="a playbook with one more signature on stdout")
    made.add_argument("file", metavar="FILE.json", type=Path)
    made.add_argument("--key", metavar="KEY.pem", type=Path, required=True, help="Ed25519 or ECDSA")
    made.add_argument("--signee", metavar="NAME", required=True, help="who signs, as readers shall see it")
    made.set_defaults(plan_command=_sign)
    checked = commands.add_parser("verify", help="check the signatures of a playbook")
    checked.add_argument("file", metavar="FILE.json", type=Path)
    add_trust(checked)
    checked.add_argument("--json", action="store_true", help="one JSON document on stdout")
    checked.set_defaults(plan_command=_verify)


def add_trust(parser: Any) -> None:  # noqa: ANN401 - argparse does not export the class
    """Add the option that names trusted keys."""
    parser.add_argument(
        "--trust", metavar="PEM", type=Path, action="append", default=[], help="certificate or public key"
    )


def trusted_of(files: Sequence[Path]) -> list[bytes]:
    """Return the keys of trusted certificates and key files.

    Raises:
        PermanentError: One of them cannot be read.
    """
    from ..plans.jss import read_trusted  # noqa: PLC0415 - `plan check` starts without it

    return [_read(file, read_trusted) for file in files]


def _sign(args: argparse.Namespace, _: object) -> int:
    from ..plans.jss import read_signer, sign  # noqa: PLC0415 - `plan check` starts without it

    document = _document(args.file)
    if document is None:
        return 1
    key = _read(args.key, read_signer)
    try:
        signed = sign(
            document,
            key,
            identifier=f"jss--{uuid4()}",
            created_by=identifier("identity", args.signee),
            signee=args.signee,
            now=datetime.now(UTC),  # noqa: TID251 - the command line is where time comes in
        )
    except ValueError as error:
        raise PermanentError(f"{args.file}: {error}") from None
    print(json.dumps(signed, ensure_ascii=False, indent=2))
    return 0


def _verify(args: argparse.Namespace, _: object) -> int:
    from ..plans.jss import SIGNATURES, verify  # noqa: PLC0415 - `plan check` starts without it

    document = _document(args.file)
    if document is None:
        return 1
    now = datetime.now(UTC)  # noqa: TID251 - the command line is where time comes in
    verdicts = verify(document, trusted=trusted_of(args.trust), now=now)
    words = _WORDS["en" if args.lang == "en" else "zh"]
    if args.json:
        print(
            json.dumps(
                {"ok": _ok(verdicts), SIGNATURES: [_told(each) for each in verdicts]}, ensure_ascii=False
            )
        )
    for verdict in verdicts:
        why = f": {verdict.why}" if verdict.why else ""
        print(f"{verdict.signee} ({verdict.algorithm}): {words[verdict.state]}{why}", file=sys.stderr)
    if not verdicts:
        print(words["none"], file=sys.stderr)
    return 0 if _ok(verdicts) else 1


def _ok(verdicts: "Sequence[Verdict]") -> bool:
    """Signed by somebody trusted, and by nobody whose signature is not good."""
    return any(each.state == "good" for each in verdicts) and not any(each.refused for each in verdicts)


def _told(verdict: "Verdict") -> Mapping[str, str]:
    return {name: getattr(verdict, name) for name in verdict.__struct_fields__}


def _document(file: Path) -> dict[str, Any] | None:
    text, findings = read_text(file)
    for finding in findings:
        print(finding, file=sys.stderr)
    try:
        return read_json(text, str(file))[0] if text is not None else None
    except Mistakes as error:
        print(error, file=sys.stderr)
        return None


def _read(file: Path, read: Any) -> Any:  # noqa: ANN401 - what the reader returns
    try:
        return read(file.read_bytes())
    except (OSError, ValueError) as error:
        raise PermanentError(f"{file}: found {getattr(error, 'strerror', None) or error}") from None
