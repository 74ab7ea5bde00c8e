"""What is wrong with the words of a command reads Chinese, with its values."""

import pytest

from collector.cli import main


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["token", "create", "--unit", "u", "--uses", "0"], "参数 --uses：发现 '0'，应为 1 至 10000 的数"),
        (
            ["token", "create", "--unit", "u", "--expires", "9y"],
            "参数 --expires：发现 '9y'，应为时长，如 30m",
        ),
        (["user", "add", "a b"], "参数 NAME：发现 'a b'，应为至多 64 个字母"),
        (["beacon", "--listen", "here"], "参数 --listen：发现 'here'，应为 IP 地址和端口"),
        (["beacon", "--listen", "127.0.0.1:70000"], "参数 --listen：发现 '127.0.0.1:70000'，应为 0 至 65535"),
        (["duty", "explain", "c.yaml", "--at", "3"], "参数 --at：发现 '3'，应为带时区偏移的时间"),
        (["drill", "rehearse", "s.yaml", "--at", "3"], "参数 --at：发现 '3'，应为带时区偏移的时间"),
        (["duty"], "缺少必需的参数：COMMAND"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_words_are_told_in_chinese(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FENGSUI_LANG", "zh")
    with pytest.raises(SystemExit) as ended:
        main(words)

    assert ended.value.code == 2
    assert said in capsys.readouterr().err
