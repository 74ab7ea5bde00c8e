"""The playbook folders: a broken plan stops no other, and an operator's plan stands for the shipped one."""

from pathlib import Path

from collector.classes import read_classes
from collector.runs.playbooks import MAX_BYTES, read_playbooks, read_text
from collector.shipped import configs_dir, playbooks_dir

PLAN = """
id: {}
name: {{zh: 一, en: {}}}
steps:
  - {{id: a, kind: wait, owner: duty, for: 1m, title: {{zh: 等, en: wait}}}}
"""


def test_the_shipped_plans_are_on_the_shelf() -> None:
    shelf = read_playbooks([playbooks_dir()])

    assert set(shelf.plans) >= {"page-tampering", "illegal-external-connection"}
    assert shelf.findings == []


def test_a_broken_plan_stops_no_other(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text(PLAN.format("good", "good"))
    (tmp_path / "bad.yaml").write_text("id: bad\nsteps: [")
    (tmp_path / "other.yml").write_text(PLAN.format("another-name", "x"))
    (tmp_path / "notes.txt").write_text("no plan")
    (tmp_path / "latin.yaml").write_bytes(b"id: \xff")

    shelf = read_playbooks([tmp_path])

    assert set(shelf.plans) == {"good"}
    assert [Path(mistake.file).name for mistake in shelf.errors] == ["bad.yaml", "latin.yaml", "other.yml"]
    assert "the file's name 'other'" in str(shelf.errors[-1])


def test_an_own_plan_stands_for_the_shipped_one_of_its_id(tmp_path: Path) -> None:
    (tmp_path / "page-tampering.yaml").write_text(PLAN.format("page-tampering", "ours"))

    shelf = read_playbooks([playbooks_dir(), tmp_path])

    assert shelf.plans["page-tampering"].name.en == "ours"


def test_a_file_above_the_limit_is_not_read(tmp_path: Path) -> None:
    large = tmp_path / "large.yaml"
    large.write_bytes(b"#" * (MAX_BYTES + 1))

    text, findings = read_text(large)

    assert text is None
    assert "above the limit" in str(findings[0])
    assert "no readable file" in str(read_text(tmp_path / "none.yaml")[1][0])


def test_plans_that_call_each_other_in_a_circle_stop_only_themselves(tmp_path: Path) -> None:
    call = (
        "id: {}\nname: {{zh: 调, en: c}}\nsteps:\n"
        "  - {{id: a, kind: playbook-action, plan: {}, title: {{zh: 调, en: c}}}}\n"
    )
    (tmp_path / "one.yaml").write_text(call.format("one", "two"))
    (tmp_path / "two.yaml").write_text(call.format("two", "one"))
    (tmp_path / "good.yaml").write_text(PLAN.format("good", "good"))

    shelf = read_playbooks([tmp_path])

    assert set(shelf.plans) == {"good"}
    assert [Path(mistake.file).name for mistake in shelf.errors] == ["one.yaml", "two.yaml"]


def test_the_shipped_plans_cover_known_classes_and_no_two_of_one_breadth_the_same() -> None:
    table = configs_dir() / "classes.yaml"
    known = read_classes(table.read_text(), str(table))
    plans = read_playbooks([playbooks_dir()]).plans.values()

    claims = [(code, plan.asset_roles) for plan in plans for code in plan.classes]
    assert all(known.knows(code) for code, _ in claims)
    assert len(claims) == len(set(claims))
    assert all(set(plan.levels) == set(plan.may_start) == {"I", "II", "III", "IV"} for plan in plans)
    assert [plan.id for plan in plans if not plan.classes] == ["major-event-guard"]  # by hand alone
    assert len(plans) == 13
