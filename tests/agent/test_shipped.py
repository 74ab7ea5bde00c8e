from agent.shipped import configs_dir


def test_the_shipped_lists_are_there() -> None:
    assert (configs_dir() / "webmail.yaml").is_file()
