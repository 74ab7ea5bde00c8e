"""What an updater says of a release that is not in use; every heartbeat tells the last of it."""

CHINESE: dict[str, str] = {
    "{path} is no folder of releases: `good` has to name a or b with a RELEASE.json. For the first time: fengsui-agent update --adopt.": "{path} 不是版本目录：good 须指向含 RELEASE.json 的 a 或 b。首次请运行 fengsui-agent update --adopt。",
    "{path} holds a collector too, and a release holds the agent alone: the first update would take the collector away. Install each in a folder of its own (docs/update.md).": "{path} 中还装有采集端，而升级包只含探针：升级会使采集端消失。请把两者装在各自的目录里（docs/update.md）。",
    "the trusted root {path} can't be read: {why:maybe}. Get root.json from whoever signs.": "可信根 {path} 无法读取：{why}。请从签名者处取得 root.json。",
    "the mirror {where} can't be reached: {why:maybe}. What runs stays.": "镜像 {where} 暂不可达：{why}。当前版本继续运行。",
    "what the mirror {where} offers is not to be trusted, nothing was installed: {why:maybe}": "镜像 {where} 的内容不可信，未安装任何内容：{why}",
    "the bundle {path} has more than {most} bytes (update.max_bytes).": "升级包 {path} 超过上限 {most} 字节（update.max_bytes）。",
    "the bundle {path} holds {member}: only requirements.txt and wheels/*.whl may be in it, each once.": "升级包 {path} 含有不应有的 {member}：只允许 requirements.txt 和 wheels/*.whl，各一次。",
    "the bundle {path} is no tar file: {why:maybe}.": "升级包 {path} 不是 tar 文件：{why}。",
    "another update is under way ({path}).": "另一次升级正在进行（{path}）。",
    "the library for updates is not installed: install fengsui[update].": "未安装升级所需的库：请安装 fengsui[update]。",
    "it signs no {name}": "其签名清单中没有 {name}",
    "{file}: is no file": "{file}：不是文件",
    "{file}: there is none": "{file}：不存在",
    "ask for the index first": "请先取索引",
    "{step} could not install the bundle: {why:maybe}": "{step} 未能安装升级包：{why}",
    "the new release does not take this node's settings: {why:maybe}": "新版本不接受本节点的设置：{why}",
    "no collector answered the new release within {seconds} s.": "{seconds} 秒内没有采集端应答新版本。",
    "{command} failed: {why:maybe}": "{command} 失败：{why}",
}
