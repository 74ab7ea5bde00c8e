"""docs/regimes.md says of every shipped regime what its file says."""

import re
from pathlib import Path

import pytest

from collector.regimes import Criterion, Regime, Stage
from collector.regimes.model import Route
from collector.regimes.terms import TERMS
from collector.workdays import overlay, read_calendar
from collector.yaml_marks import format_duration

DOCS = Path(__file__).parents[3] / "docs" / "regimes.md"
LAW = sorted(path.stem for path in (DOCS.parents[1] / "configs" / "regimes").glob("*.yaml"))


def section(regime: Regime) -> str:
    """The section of a regime, as it has to stand in the docs."""
    lines = [f"### `{regime.id}` · {regime.name.en}", "", f"{regime.name.zh}. Source: {regime.source}.", ""]
    lines += [
        _applies(regime),
        "",
        *([regime.note.en, "", regime.note.zh, ""] if regime.note else []),
        "| stage | condition | recipients | runs from | limit | source | verified |",
    ]
    lines += ["|---|---|---|---|---|---|---|"]
    lines += [_stage(stage, route) for stage in regime.stages for route in stage.routes]
    if regime.criteria:
        lines += ["", "| criterion | level | figure | source | verified |", "|---|---|---|---|---|"]
        lines += [_criterion(criterion) for criterion in regime.criteria]
    return "\n".join([*lines, ""])


def _applies(regime: Regime) -> str:
    begin = regime.in_force.begin
    force = (
        f"In force from {begin.isoformat()}." if begin is not None else "No date of entry into force is kept."
    )
    yields = f", unless {', '.join(regime.applies.yields_to)} does" if regime.applies.yields_to else ""
    state = "Enabled" if regime.enabled else "Shipped disabled"
    mark = f"({regime.applies.source}; {_verified(regime.applies.verified)})"
    return f"{force} {state}. Applies when `{_plain(regime.applies.when.text)}`{yields} {mark}."


def _stage(stage: Stage, route: Route) -> str:
    conditions = [
        f"`{_plain(condition.text)}`" for condition in (stage.when, route.when) if condition is not None
    ]
    limit = str(route.limit or stage.limit or "no number")
    if stage.ceiling is not None:
        limit += f", at most {stage.ceiling.anchor} + {stage.ceiling.limit}"
    if stage.house_target is not None:
        limit += f" (house target {format_duration(stage.house_target.limit)}, not law)"
    cells = [
        f"`{stage.id}`",
        " and ".join(conditions) or "–",
        ", ".join(route.recipients or stage.recipients) or f"as `{stage.recipients_of}`",
        (route.anchor or stage.anchor) + (", with open items" if stage.after_open_items else ""),
        limit,
        route.source or stage.source,
        _verified(stage.verified if route.verified is None else route.verified),
    ]
    return f"| {' | '.join(cells)} |"


def _criterion(criterion: Criterion) -> str:
    figure = "–" if criterion.unit is None else "not found"
    if criterion.figure is not None:
        figure = f"{criterion.figure} {criterion.unit}"
    cells = [f"`{criterion.id}`", criterion.level, figure, criterion.source, _verified(criterion.verified)]
    return f"| {' | '.join(cells)} |"


def _plain(text: str) -> str:
    # A bar would end the table's cell.
    return " ".join(text.split()).replace("||", "or")


def _verified(value: object) -> str:
    return "verified" if value else "not verified"


@pytest.mark.parametrize("name", LAW)
def test_every_shipped_regime_has_a_section_that_says_what_its_file_says(
    name: str, law: tuple[Regime, ...]
) -> None:
    regime = next(regime for regime in law if regime.id == name)

    assert section(regime) in DOCS.read_text("utf-8")


def test_every_name_a_condition_may_use_is_in_the_docs() -> None:
    text = DOCS.read_text("utf-8")

    assert [name for name in TERMS if f"`{name}`" not in text] == []


def test_the_year_of_working_days_in_the_docs_is_one_that_the_program_reads() -> None:
    (example,) = re.findall(r"```yaml\n(region: .*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    year = overlay(read_calendar(example, "docs"))

    assert (year.region, year.year, year.confirmed) == ("CN", 2027, True)
