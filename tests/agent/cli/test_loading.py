from argparse import Namespace
from pathlib import Path

import pytest
import yaml

from agent.cli.loading import load, load_file, parse
from agent.settings import SettingsError
from agent.settings.model import STATE_DIR
from agent.sources import SourcesSettings
from agent.texts import SaidError


def test_what_stands_at_the_top_reaches_the_sources() -> None:
    text = "unit: district\nassets: [{id: portal, mlps_grade: 3}]\ninternal_ranges: [10.0.0.0/8]\n"

    settings = parse(text, "agent.yaml")

    assert settings.sources.asset.unit == "district"
    assert [(asset.id, asset.mlps_grade) for asset in settings.sources.asset.assets] == [("portal", 3)]
    assert settings.sources.internal_ranges == ("10.0.0.0/8",)


def test_a_thing_is_said_in_one_place_only() -> None:
    with pytest.raises(SettingsError, match="unknown field"):
        parse("sources: {internal_ranges: [10.0.0.0/8]}", "agent.yaml")


def test_a_flag_wins_over_the_environment_and_that_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "agent.yaml"
    file.write_text("state_dir: /from/file\nlanguage: zh\n")
    bare = Namespace(config=str(file), state_dir=None, lang=None)
    assert (load(bare).state_dir, load(bare).language) == ("/from/file", "zh")

    monkeypatch.setenv("FENGSUI_STATE_DIR", "/from/environment")
    assert load(bare).state_dir == "/from/environment"

    full = Namespace(config=str(file), state_dir="/from/flag", lang="en")
    assert (load(full).state_dir, load(full).language) == ("/from/flag", "en")


def test_a_relative_state_folder_counts_from_the_files_folder_and_a_flags_from_where_one_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "agent.yaml").write_text("state_dir: state\n")
    monkeypatch.chdir(tmp_path)
    for named in ("etc/agent.yaml", str(tmp_path / "etc" / "agent.yaml")):
        assert load(Namespace(config=named, state_dir=None, lang=None)).state_dir == f"{tmp_path}/etc/state"

    assert load(Namespace(config="etc/agent.yaml", state_dir="here", lang=None)).state_dir == "here"


def test_the_file_may_be_named_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.yaml").write_text("unit: here\n")
    monkeypatch.setenv("FENGSUI_CONFIG", str(tmp_path / "a.yaml"))

    assert load(Namespace(config=None, state_dir=None, lang=None)).unit == "here"


def test_without_a_file_every_default_holds() -> None:
    assert load(Namespace(config=None, state_dir=None, lang=None)).state_dir == STATE_DIR


def test_the_shipped_file_shows_every_setting_of_every_source_with_its_default() -> None:
    file = Path(__file__).parents[3] / "configs/agent.yaml"
    written = yaml.safe_load(file.read_text("utf-8"))["sources"]

    assert load_file(file).sources == parse("", "agent.yaml").sources
    assert {name: set(one) for name, one in written.items()} == {
        name: set(getattr(SourcesSettings(), name).__struct_fields__) - {"unit", "assets"} for name in written
    }
    assert set(written) == set(SourcesSettings.__struct_fields__) - {"internal_ranges"}


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(SaidError, match=str(tmp_path / "missing")):
        load_file(tmp_path / "missing")
