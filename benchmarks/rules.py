"""How many events a second one core asks a folder of Sigma rules about.

    .venv/bin/python benchmarks/rules.py [FOLDER ...] [--events 20000] [--rounds 5] [--expect 2500]

Without a folder the shipped rules are asked. Loaded as the collector loads them, sent through the program's
bytes, evaluated as a node evaluates them. Events are made from this host's own running programs, so that
they look like what a node sees, each with a command line of its own. Counted are the process rules' events.
Exit 0: as expected; 1: slower; 3: invalid (no process rule, or a counter that does not add up).
"""

import argparse
import random
import statistics
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from agent.rules import Engine, Event
from agent.sources.programs.procfs import pids
from agent.sources.programs.starts import Starts
from collector import shipped
from collector.classes import read_classes
from collector.sigma import load_rules
from wire.program import Program, encode_program, read_program

SLOW, INVALID = 1, 3


def seen() -> list[dict[str, str]]:
    """The programs that run now, as a node tells of them."""
    starts = Starts()
    try:
        found = [starts.describe(pid) for pid in pids()]
    finally:
        starts.close()
    return [dict(event.fields) for event in found if event]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--expect", type=float, default=2_500.0)
    args = parser.parse_args()
    table = shipped.configs_dir() / "classes.yaml"
    loaded = load_rules(
        args.folders or [shipped.configs_dir() / "sigma"], read_classes(table.read_text(), str(table)).by_code
    )
    made = Program(made_at=datetime(2026, 3, 2, tzinfo=UTC), rules=list(loaded.rules))
    body = encode_program(made)
    rules = [rule for rule in read_program(body).rules if rule.log == "process"]
    if not rules:
        print("invalid: no rule looks at processes", file=sys.stderr)
        return INVALID
    print(f"{len(loaded.rules)} rules load, {len(loaded.refused)} refused; {len(body)} bytes")
    print(f"{len(rules)} rules look at processes")
    patterns, draw = seen(), random.Random(1)
    rates = []
    for _ in range(args.rounds):
        engine = Engine(rules, most=10**9)
        events = [
            {**fields, "CommandLine": f"{fields['CommandLine']} --run={number}"}
            for number, fields in enumerate(draw.choices(patterns, k=args.events))
        ]
        began, used = time.perf_counter(), time.process_time()
        matches = sum(len(engine.matches(Event("process", fields), 0.0)) for fields in events)
        took, used = time.perf_counter() - began, time.process_time() - used
        if engine.asked != args.events or engine.matched != matches:
            print("invalid: events or matches do not add up", file=sys.stderr)
            return INVALID
        rates.append(args.events / took)
        print(
            f"{args.events / took:9.0f} events/s, {args.events / used:9.0f} by CPU second, {matches} matches"
        )
    median = statistics.median(rates)
    print(f"median {median:.0f} events/s ({min(rates):.0f}-{max(rates):.0f}), expected {args.expect:.0f}")
    return SLOW if median < args.expect else 0


if __name__ == "__main__":
    sys.exit(main())
