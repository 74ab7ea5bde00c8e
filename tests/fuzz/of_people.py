"""What people and their tools hand to a collector: settings, registers, laws, plans, rosters, rules."""

import json
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from collector import yaml_marks
from collector.backups.manifest import read_manifest
from collector.backups.occupied import MARK, Unfinished, unfinished
from collector.classes import read_classes
from collector.console import forms
from collector.console.spans import written_time
from collector.desk.problem import ProblemError
from collector.drills import read_script
from collector.drills.script import fact_values
from collector.errors import PermanentError
from collector.escalation import read_policy, read_roster
from collector.escalation.ical import read_ical
from collector.plans import jss
from collector.plans.cacao_import import import_playbook
from collector.plans.conditions import decide, fill, syntax_error
from collector.plans.load import read_plan
from collector.plans.stix import decide as decide_stix
from collector.plans.stix_grammar import StixError, parse
from collector.regimes.case import read_case
from collector.regimes.load import read_regime
from collector.registry import read_registry
from collector.settings import read_settings
from collector.sigma import load_rules
from collector.trust.bundles import offer_of
from collector.trust.checkpoints import NEWEST, Checkpoint, newest_kept
from collector.trust.release_keys import ReleasesError
from collector.trust.superior import read_superior
from collector.workdays import read_calendar
from collector.workdays.exchange import read_published
from tests.collector.drills.scripts import SCRIPT
from tests.collector.escalation.test_ical import APRIL, MARCH, REGISTRY, calendar
from tests.collector.plans.test_jss import playbook, signed
from tests.collector.workdays.test_exchange import published
from tests.fuzz.hostile import Decoder, of_file, of_text
from tests.fuzz.of_collectors import _bundle

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)
ROOT = Path(__file__).parents[2]
CONFIGS, GOLDEN = ROOT / "configs", ROOT / "tests" / "golden"
MISTAKES = (yaml_marks.Mistakes,)
CALENDAR = b"region: CN\nyear: 2027\nsource: x\noff: [{from: 2027-01-01, until: 2027-01-03, name: y}]\n"
ROSTER = (
    b"unit: county\nshifts:\n"
    b"  - {from: 2026-03-02T08:30:00+08:00, until: 2026-03-02T17:30:00+08:00, people: [wang]}\n"
)
EVENT = calendar("DTSTART:20260302T003000Z\nDTEND:20260302T093000Z\nSUMMARY:wang")
REPEATED = calendar(
    "DTSTART:20260302T003000Z\nDTEND:20260302T093000Z\nRRULE:FREQ=DAILY;COUNT=5\nSUMMARY:wang"
)
PLAYBOOKS = tuple(path.read_bytes() for path in sorted((GOLDEN / "cacao/playbooks").glob("*.json")))
YAML = (b"a: b\n", b"&a ", b"? ", b"- &a [", b"*a\n", b"!!a ", b"a: |\n ", b"'", b'"\\x')
SCOPE = {"incident": {"level": "major", "minutes": 5}, "__x__:value": 5}


def _yaml(text: str) -> object:
    return yaml_marks.read(text, "x.yaml")


def _settings(text: str) -> object:
    return read_settings(text, "collector.yaml", {})


def _sigma(root: Path) -> object:
    found = load_rules([root], {"OTH", "NAOTH"})
    assert found.rules or found.refused or not root.joinpath("r.yml").read_bytes().strip()
    return found


def _cacao(text: str) -> object:
    return import_playbook(text, "p.json", trusted=(), now=NOW)


def _jss(data: bytes) -> object:
    return jss.verify(msgspec.json.decode(data, type=dict[str, object]), trusted=(), now=NOW)


def _condition(text: str) -> object:
    return syntax_error(text), decide(text, SCOPE), fill(text, SCOPE)


def _stix(text: str) -> object:
    return parse(text), decide_stix(text, SCOPE)


def _form(text: str) -> object:
    return msgspec.json.encode(
        [forms._value("x", kind, text, SHANGHAI) for kind in ("bool", "number", "text")]
    )


def _ical(data: bytes) -> object:
    return read_ical(data, "duty.ics", "county", REGISTRY, begin=MARCH, end=APRIL)


def _manifest() -> bytes:
    piece = {"path": "databases/state.db", "size": 1, "sha256": "0" * 64, "origin": "x"}
    return json.dumps(
        {
            "format": 1, "made_at": "2026-03-02T01:10:00Z", "version": "1", "unit": "u", "schema": "s",
            "journal": {"entries": 1, "ends": [["a", 1, "h"]]}, "cursor": 1, "newest": 1,
            "files": [piece, piece | {"path": "databases/events.db"}], "left_out": [],
        }
    ).encode()  # fmt: skip


def _rules() -> tuple[bytes, ...]:
    return tuple(path.read_bytes() for path in sorted((CONFIGS / "sigma").glob("*.yml"))[:4])


CHECKPOINT = msgspec.json.encode(Checkpoint(at=NOW, owner="o", n=1, heads=[("a", 1, "h")], previous=""))
BEGUN = msgspec.json.encode(Unfinished(backup="/b", begun_at=NOW))
DECODERS = (
    Decoder(
        "YAML",
        "collector/yaml_marks/reading.py",
        of_text(_yaml),
        MISTAKES,
        ((CONFIGS / "registry.yaml").read_bytes(),),
        YAML,
    ),
    Decoder(
        "settings of the collector",
        "collector/settings.py",
        of_text(_settings),
        MISTAKES,
        ((CONFIGS / "collector.yaml").read_bytes(),),
        YAML,
    ),
    Decoder(
        "register",
        "collector/registry/reading.py",
        of_text(lambda text: read_registry(text, "r")),
        MISTAKES,
        ((GOLDEN / "office.yaml").read_bytes(),),
        YAML,
    ),
    Decoder(
        "regime",
        "collector/regimes/load.py",
        of_text(lambda text: read_regime(text, "r")),
        MISTAKES,
        ((CONFIGS / "regimes/cn-cac-2025.yaml").read_bytes(),),
        YAML,
    ),
    Decoder(
        "case",
        "collector/regimes/case.py",
        of_text(lambda text: read_case(text, "c")),
        MISTAKES,
        ((GOLDEN / "duty/city-portal-down.yaml").read_bytes(),),
        YAML,
    ),
    Decoder(
        "table of classes",
        "collector/classes.py",
        of_text(lambda text: read_classes(text, "c")),
        MISTAKES,
        ((CONFIGS / "classes.yaml").read_bytes(),),
        YAML,
    ),
    Decoder(
        "escalation",
        "collector/escalation/policy.py",
        of_text(lambda text: read_policy(text, "p")),
        MISTAKES,
        ((CONFIGS / "escalation/default.yaml").read_bytes(),),
        YAML,
    ),
    Decoder(
        "roster",
        "collector/escalation/rota_file.py",
        of_text(lambda text: read_roster(text, "r", REGISTRY)),
        MISTAKES,
        (ROSTER,),
        YAML,
    ),
    Decoder(
        "calendar of duty (iCalendar)",
        "collector/escalation/ical.py",
        _ical,
        MISTAKES,
        (EVENT, REPEATED),
        (b"BEGIN:VEVENT\r\n", b"BEGIN:VEVENT\r\nEND:VEVENT\r\n", b"A;", b"A:b\r\n", b"\r\n ", b";B=", b'"'),
    ),
    Decoder(
        "calendar of workdays",
        "collector/workdays/file.py",
        of_text(lambda text: read_calendar(text, "c")),
        MISTAKES,
        (CALENDAR,),
        YAML,
    ),
    Decoder(
        "calendar of workdays, as published",
        "collector/workdays/exchange.py",
        lambda data: read_published(data, "c"),
        MISTAKES,
        (published(),),
    ),
    Decoder(
        "plan",
        "collector/plans/load.py",
        of_text(lambda text: read_plan(text, "p")),
        MISTAKES,
        ((ROOT / "playbooks/page-tampering.yaml").read_bytes(),),
        YAML,
    ),
    Decoder(
        "CACAO playbook",
        "collector/plans/cacao_import.py",
        of_text(_cacao),
        (),
        PLAYBOOKS,
        (b'"a":1,', b'{"a":{"a":', b'{"a":1,"a":1,'),
    ),
    Decoder(
        "signatures of a playbook",
        "collector/plans/jss.py",
        _jss,
        (ValueError, RecursionError),
        (json.dumps(signed(playbook())).encode(),),
    ),
    Decoder(
        "condition (CEL)",
        "collector/plans/conditions.py",
        of_text(_condition),
        (),
        (b"incident.minutes > 3", b"{{ incident.level }}"),
        (b"!", b"a.", b"1+", b"a?", b"{{", b"{{ a }}", b"['", b"&&"),
    ),
    Decoder(
        "condition (STIX)",
        "collector/plans/stix_grammar.py",
        of_text(_stix),
        (StixError,),
        (b"[__x__:value = 5]", b"__x__:value > 3"),
        (b"NOT ", b"a:b = 1 AND ", b"'", b"["),
        most=16 * 1024,
    ),
    Decoder(
        "script of a drill",
        "collector/drills/script.py",
        of_text(lambda text: read_script(text, "s")),
        MISTAKES,
        (SCRIPT.encode(),),
        YAML,
    ),
    Decoder(
        "facts of a drill",
        "collector/drills/script.py",
        of_text(lambda text: fact_values({"x": text}, NOW)),
        (),
        (b"5m", b"true", b"2026-03-02"),
    ),
    Decoder(
        "Sigma rule",
        "collector/sigma/load.py",
        of_file("r.yml", _sigma),
        (),
        _rules(),
        (*YAML, b"condition: not ", b"(a|", b"- a: b\n"),
        most=16 * 1024,
    ),
    Decoder(
        "time in a form",
        "collector/console/spans.py",
        of_text(lambda text: written_time(text, SHANGHAI).astimezone(UTC)),
        (ValueError,),
        (b"2026-03-02T09:10", b"2026-03-02T09:10:00+08:00", b"0002-01-01", b"9998-12-31T23:59-23:59"),
        most=8190,
    ),
    Decoder(
        "value in a form",
        "collector/console/forms.py",
        of_text(_form),
        (ProblemError,),
        (b"5", b"-1"),
        most=8190,
    ),
    Decoder(
        "manifest of a backup",
        "collector/backups/manifest.py",
        of_file("manifest.json", read_manifest),
        (PermanentError,),
        (_manifest(),),
    ),
    Decoder(
        "restore that was cut off",
        "collector/backups/occupied.py",
        of_file(MARK, unfinished),
        (PermanentError,),
        (BEGUN,),
    ),
    Decoder(
        "newest checkpoint",
        "collector/trust/checkpoints.py",
        of_file(NEWEST, newest_kept),
        (PermanentError,),
        (CHECKPOINT,),
    ),
    Decoder(
        "what joining left",
        "collector/trust/superior.py",
        of_file("superior/superior.json", read_superior),
        (PermanentError,),
        (b'{"url":"https://c","node":"n","unit":"u"}',),
    ),
    Decoder(
        "bundle at the mirror",
        "collector/trust/bundles.py",
        of_file("b.tar", lambda root: offer_of(root / "b.tar")),
        (ReleasesError,),
        (_bundle(),),
    ),
)
