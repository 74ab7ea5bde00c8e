"""What a plan gets wrong reads Chinese, form and meaning alike."""

from collector.cli.telling import finding_of
from collector.plans import examine

PLAN = """
id: broken
name: {zh: 坏, en: broken}
summary: {zh: 坏, en: broken}
version: 1
variables: {page: {type: text}}
steps:
  - {id: ask, kind: manual, owner: nobody, title: {zh: 问, en: ask}, next: nowhere}
  - {id: ask, kind: manual, owner: duty, title: {zh: 再问, en: again}}
  - {kind: notify, to: duty, title: {zh: 告知, en: tell}, text: {zh: "{vars.pag}", en: x}}
  - {id: call, kind: playbook-action, owner: duty, title: {zh: 调用, en: call}, plan: missing}
"""


def test_findings_of_form_and_meaning_are_told() -> None:
    found = examine(PLAN, "p.yaml", plans=["broken"]).findings

    said = [finding_of(each, "zh") for each in found]

    assert any("重复的 id 'ask'（首见于第 8 行），应为每个编号只出现一次" in line for line in said)
    assert any("没有 id 的步骤，应为带 id 的步骤" in line for line in said)
    assert any("不存在的步骤 'nowhere'，应为以下之一：" in line for line in said)
    assert any("角色 'nobody'，应为以下之一：" in line for line in said)
    assert not [line for line in said if ": found" in line or " expected " in line]
    assert len(said) >= 5
