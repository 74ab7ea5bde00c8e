"""What a running collector says reads Chinese where its settings are."""

import pytest

from collector.phrasebook import in_language


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        (
            "first start: account admin, password w5-x (also in /srv/admin-password: remove it)",
            "首次启动：账号 admin，密码 w5-x（另存于 /srv/admin-password，看过请删除）",
        ),
        (
            "agents at port 8443, console at http://127.0.0.1:8080/",
            "探针入口：端口 8443；控制台：http://127.0.0.1:8080/",
        ),
        (
            "reloaded; a new start is needed for: database, listen",
            "已重新加载；以下各项须重新启动才生效：database, listen",
        ),
        ("clock died: ValueError: the row is gone", "clock 意外终止：ValueError: the row is gone"),
        (
            "registry.yaml:3:4: $: found nothing, expected text",
            "registry.yaml:3:4: $：发现 空值，应为 文本",
        ),
    ],
)
def test_a_line_of_the_service_reads_chinese(english: str, chinese: str) -> None:
    assert in_language(english, "zh") == chinese
    assert in_language(english, "en") == english
