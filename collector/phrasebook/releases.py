"""What signing releases refuses."""

CHINESE: dict[str, str] = {
    "{path}: stands there already; name an empty folder for new keys": "{path}：已存在；新密钥请指定空目录",
    "{path}: {why}; name the password's file by --password-file": (
        "{path}：{why}；请用 --password-file 指定口令文件"
    ),
    "{path}: a key of another kind, expected Ed25519; name another file": (
        "{path}：密钥种类不符，应为 Ed25519；请另指定文件"
    ),
    "--threshold: found {n}, expected 1 to {most}": "--threshold：发现 {n}，应为 1 至 {most}",
    "{path}: holds a mirror already; name an empty folder": "{path}：已有镜像；请指定空目录",
    "{version}: found no release of this version on the mirror": "{version}：镜像上没有此版本",
    "{path}: {role} held until {at}; sign it anew": "{path}：{role} 的有效期止于 {at}；请重新签名",
    "{role}: found {n} of its keys, expected {most}; bring the other files": (
        "{role}：找到其密钥 {n} 把，应有 {most} 把；请带上其余密钥文件"
    ),
    "{key}: found {n} keys of this id, expected one; `releases keys` lists them, {most} digits or more name one": (
        "{key}：有 {n} 把密钥以此开头，应恰有一把；请用 `releases keys` 查看，至少写 {most} 位"
    ),
    "{path}: found no mirror, expected metadata/ and targets/; begin with init": (
        "{path}：没有镜像，应有 metadata/ 与 targets/；请先执行 init"
    ),
    "{path}: found no wheel of fengsui N.N.N, expected what packaging/make_bundle.py makes": (
        "{path}：没有 fengsui N.N.N 的 wheel；应为 packaging/make_bundle.py 所制的升级包"
    ),
}
