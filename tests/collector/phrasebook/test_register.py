"""What settings, the register, rosters and escalation policies get wrong reads Chinese."""

from collections.abc import Callable

from collector.escalation.policy import read_policy
from collector.escalation.rota_file import read_rosters
from collector.registry import read_registry
from collector.settings import read_settings
from collector.shipped import configs_dir

REGISTRY = (configs_dir() / "registry.yaml").read_text("utf-8")
POLICY = (configs_dir() / "escalation" / "default.yaml").read_text("utf-8")


def test_settings_are_told(in_chinese: Callable[..., dict[str, str]]) -> None:
    text = """
unit: county
registry: registry.yaml
listen: {agents: {host: collector.local}, console: {url: ftp://x}}
channels: [{name: hook, kind: webhook, url: "gopher://x"}]
"""

    said = in_chinese(lambda: read_settings(text, "c.yaml", {}))

    assert said["listen.agents"] == "相互矛盾的值｜host 应是 IP 地址，而不是 'collector.local'"
    assert said["channels[0]"].endswith("url 应是 http 或 https 地址，而不是 'gopher://x'")
    assert len(said) == 3


def test_settings_across_entries_are_told(in_chinese: Callable[..., dict[str, str]]) -> None:
    text = """
unit: county
registry: registry.yaml
channels:
  - {name: sms, kind: sms, url: "https://x", sms: {body: {to: "{fone}"}}}
  - {name: sms, kind: webhook}
http_allow: [10.0.0.1]
"""

    said = in_chinese(lambda: read_settings(text, "c.yaml", {}))

    assert said["channels[0].sms.body.to"].startswith("'{fone}'｜占位符 {phone}")
    assert said["channels[1].name"] == "'sms'｜不与其他渠道重复的名称"
    assert said["http_allow[0]"] == "'10.0.0.1'｜http 或 https 地址前缀"


def test_the_register_is_told(in_chinese: Callable[..., dict[str, str]]) -> None:
    text = """
colours: {}
zones: {internet: {exits: forbidden, networks: [10.0.0.1/8], services: [udp/0]}}
units:
  A: {name: A, kind: enterprise, level: district, region: CN-12, sector: x, superior: b, timezone: Mars}
  b: {name: B, kind: enterprise, level: district, region: CN-12, sector: x, superior: A, duty: [nobody]}
assets:
  secret: {name: s, unit: b, classified: true, zone: internet}
  open: {name: o, unit: b}
exits: {way: {name: w, unit: b, zones: [internet]}}
"""

    said = in_chinese(lambda: read_registry(text, "r.yaml"))

    assert said["assets.secret.zone"] == "涉密系统名称以外的内容｜只有 name、unit 和 classified"
    assert said["units.b.duty[0]"] == "'nobody'｜`people` 中的键"
    assert "循环 A -> b -> A｜树状的上下级关系" in said.values()


def test_rosters_are_told(in_chinese: Callable[..., dict[str, str]]) -> None:
    text = """
unit: nowhere
rotations: [{people: [ghost], since: 2026-01-01, between: 8-17}]
holidays: [{from: 2026-10-07, until: 2026-10-01}]
"""

    said = in_chinese(lambda: read_rosters([("r.yaml", text)], read_registry(REGISTRY, "registry.yaml")))

    assert said["rotations[0].between"] == "'8-17'｜时段，如 17:30-08:30"
    assert said["holidays[0]"].endswith("`until` 不早于 `from`")


def test_a_policy_is_told(in_chinese: Callable[..., dict[str, str]]) -> None:
    head, _, tail = POLICY.partition("chains:")
    first = tail.split("\n")[1].split(":")[0].strip()
    wrong = POLICY.replace(f"  {first}:", f"  {first}: []\n  x_{first}:", 1)

    said = in_chinese(lambda: read_policy(wrong, "p.yaml"))

    assert head
    assert said
