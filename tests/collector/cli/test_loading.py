"""A command reads its settings and from then on speaks their language."""

import argparse
from pathlib import Path

import pytest

from collector.cli import main
from collector.cli.loading import settings_of, world_of
from collector.shipped import configs_dir
from collector.yaml_marks import Mistakes


def settings(folder: Path, language: str, unit: str = "district") -> str:
    (folder / "registry.yaml").write_text((configs_dir() / "registry.yaml").read_text("utf-8"))
    file = folder / "collector.yaml"
    file.write_text(f"unit: {unit}\nregistry: registry.yaml\nlanguage: {language}\n")
    return str(file)


def test_the_language_of_the_settings_is_spoken_unless_another_is_asked(tmp_path: Path) -> None:
    args = argparse.Namespace(config=settings(tmp_path, "zh"), lang=None)
    asked = argparse.Namespace(config=args.config, lang="en")

    assert settings_of(args).unit == world_of(asked).settings.unit == "district"
    assert (args.lang, asked.lang) == ("zh", "en")


@pytest.mark.parametrize(
    ("language", "words"),
    [("zh", "units: 发现没有单位 'borough'，应为"), ("en", "units: found no unit 'borough'")],
)
def test_mistakes_of_what_the_settings_name_are_told_in_their_language(
    tmp_path: Path, language: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check-config", settings(tmp_path, language, "borough")]) == 1
    assert words in capsys.readouterr().err


def test_mistakes_of_the_settings_themselves_are_raised(tmp_path: Path) -> None:
    with pytest.raises(Mistakes):
        settings_of(argparse.Namespace(config=settings(tmp_path, "fr"), lang=None))
