"""The Chinese of what the agent's commands write in English: their helps, and mistakes of a settings file."""

from wire.phrases import Phrasebook
from wire.sentences.settings import CHINESE as MISTAKES
from wire.usage import CHINESE as OF_ARGPARSE

HELPS: dict[str, str] = {
    "a path of sources.files.roots": "设置 sources.files.roots 中的网站目录",
    "a token, or - to read it from stdin": "令牌；- 为从标准输入读取",
    "accept a web root's new content": "认可网站的新内容",
    "begin with what is installed": "接管现有安装",
    "check a settings file": "检查设置文件",
    "completion of a shell": "命令行补全脚本",
    "default: --config": "默认：--config",
    "default: the address in the token": "默认：令牌中的地址",
    "do what needs privileges, for the agent": "特权助手：代探针执行需要特权的操作",
    "Ed25519 private key, PEM": "Ed25519 私钥，PEM 格式",
    "enrol although there is an identity; it is kept beside": "已有身份也重新登记，旧身份保留在旁",
    "enrol this node by a one-time token": "用一次性令牌登记本机",
    "language of texts": "文字语言",
    "left out; may be given again": "排除的文件，可多次给出",
    "look once and print what would be reported": "检查一次并输出将上报的内容",
    "look only": "只查看",
    "one JSON document on stdout, nothing else": "向标准输出写一个 JSON 文档，别无其他",
    "read a recorded file as the sources would": "按数据源的方式读取录制的文件",
    "reports a node's assets, exits and incidents": "烽燧探针：上报本机资产、出口与事件",
    "run the agent": "运行探针",
    "settings file": "设置文件",
    "sign what a deployment will bring": "签发部署清单",
    "state folder": "状态目录",
    "take the next release of a signed mirror": "从签名镜像升级",
    "take what is there now for what shall be there": "认可当前内容",
    "the agent's user": "探针的用户",
    "the manifest": "清单文件",
    "the site as it was built": "构建好的网站目录",
    "what the file is": "文件的种类",
    "which shell": "外壳程序",
}

BOOK = Phrasebook(MISTAKES, HELPS, OF_ARGPARSE)
in_language = BOOK.in_language
