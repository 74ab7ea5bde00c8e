"""`fengsui-collector plan`, as people and scripts run it."""

import json
from pathlib import Path

import pytest

from collector.cli import main
from collector.shipped import playbooks_dir

PLAYBOOKS = sorted(playbooks_dir().glob("*.yaml"))
BROKEN = "id: broken\nname: {zh: 坏, en: broken}\nsteps:\n  - {id: a, kind: wait, title: {zh: 等, en: w}}\n"


def printed(capsys: pytest.CaptureFixture[str]) -> tuple[object, str]:
    out, err = capsys.readouterr()
    return (json.loads(out) if out else None), err


def test_the_shipped_plans_check_without_errors(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["plan", "check", *map(str, PLAYBOOKS)])

    document, err = printed(capsys)
    assert (code, document) == (0, None)
    assert len(err.splitlines()) == len(PLAYBOOKS)


def test_every_mistake_has_its_own_line_with_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text(BROKEN)

    assert main(["plan", "check", str(file), str(PLAYBOOKS[0])]) == 1

    _, err = printed(capsys)
    assert err.splitlines()[0] == (
        f"{file}:4:5: steps.a: found values that do not fit together, "
        "expected exactly one of for, until, incident, receipt"
    )


def test_json_is_one_document_on_stdout(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text(BROKEN)

    assert main(["plan", "check", "--json", str(file), str(tmp_path / "none.yaml")]) == 1

    document, _ = printed(capsys)
    assert isinstance(document, dict)
    assert document["ok"] is False
    assert [each["findings"][0]["line"] for each in document["files"]] == [4, 1]
    assert set(document["files"][0]["findings"][0]) == {
        "severity",
        "file",
        "line",
        "column",
        "path",
        "found",
        "expected",
    }


@pytest.mark.parametrize("path", PLAYBOOKS, ids=lambda path: path.stem)
def test_a_drill_prints_its_steps(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "run", str(path), "--drill", "--confirm", "all", "--json"]) == 0

    document, err = printed(capsys)
    assert isinstance(document, dict)
    assert (document["ok"], document["end"], err) == (True, "end", "")
    assert document["steps"][0]["type"] == "start"


@pytest.mark.parametrize(("lang", "word"), [("zh", "网页篡改"), ("en", "Page tampering")])
def test_a_drill_without_people_names_what_is_left_open(
    lang: str, word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = next(path for path in PLAYBOOKS if path.stem == "page-tampering")

    assert main(["plan", "run", str(path), "--drill", "--lang", lang]) == 1

    out, _ = capsys.readouterr()
    assert word in out
    assert "waiting" in out


def test_a_broken_plan_is_not_drilled(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text(BROKEN)

    assert main(["plan", "run", str(file), "--drill", "--json"]) == 1

    document, err = printed(capsys)
    assert isinstance(document, dict)
    assert (document["ok"], document["steps"], document["end"]) == (False, [], None)
    assert str(file) in err


def test_a_plan_may_call_a_shipped_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "calls.yaml"
    file.write_text(
        "id: calls\nname: {zh: 调, en: calls}\nsteps:\n"
        "  - {id: call, kind: playbook-action, plan: page-tampering, title: {zh: 调, en: call}}\n"
    )

    assert main(["plan", "run", str(file), "--drill", "--confirm", "all", "--json"]) == 0

    document, _ = printed(capsys)
    assert isinstance(document, dict)
    assert "call/restore" in {step["id"] for step in document["steps"]}


def test_plans_that_call_each_other_in_a_circle_end_with_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, other in [("one", "two"), ("two", "one")]:
        (tmp_path / f"{name}.yaml").write_text(
            f"id: {name}\nname: {{zh: 调, en: calls}}\nsteps:\n"
            f"  - {{id: call, kind: playbook-action, plan: {other}, title: {{zh: 调, en: call}}}}\n"
        )

    assert main(["plan", "run", str(tmp_path / "one.yaml"), "--drill"]) == 1

    _, err = capsys.readouterr()
    assert "circle" in err


def test_a_circle_of_calls_is_found_at_the_step_that_calls(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, other in [("one", "two"), ("two", "one")]:
        (tmp_path / f"{name}.yaml").write_text(
            f"id: {name}\nname: {{zh: 调, en: calls}}\nsteps:\n"
            f"  - {{id: call, kind: playbook-action, plan: {other}, title: {{zh: 调, en: call}}}}\n"
        )

    assert main(["plan", "check", str(tmp_path / "one.yaml")]) == 1

    _, err = capsys.readouterr()
    assert (
        "one.yaml:4:45: steps.call.plan: found plans that call each other in a circle (one -> two -> one)"
        in err
    )


def test_with_settings_the_law_and_the_register_are_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "ours.yaml"
    file.write_text(
        "id: ours\nname: {zh: 一, en: one}\nclasses: [NADOS]\nsteps:\n"
        "  - {id: ok, kind: approve, owner: leader, quorum: 5, timeout: 1h, title: {zh: 批, en: ok}}\n"
    )
    config = str(playbooks_dir().parent / "configs" / "collector.yaml")

    assert main(["plan", "check", str(file)]) == 0
    capsys.readouterr()
    assert main(["plan", "check", str(file), "--config", config, "--lang", "en"]) == 1

    _, err = capsys.readouterr()
    assert "classes: found NADOS owes cn-informatization/report" in err
    assert "steps.ok.quorum: found 5 of 1 people, expected no more people than bear the role" in err
    assert main(["plan", "check", *map(str, PLAYBOOKS), "--config", config]) == 0
    assert "owes" not in capsys.readouterr().err


def test_a_real_run_is_not_started_from_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["plan", "run", str(PLAYBOOKS[0])])

    assert ended.value.code == 2
    capsys.readouterr()
