"""What commands refuse: a file, a name or an address that is not there."""

CHINESE: dict[str, str] = {
    "the database has schema {found}, this version of Fengsui knows {known}; start the version that made it, or a newer one": "数据库结构版本为 {found}，本版本烽燧只认识到 {known}；请启动建立该结构的版本或更新的版本",
    "{path}: is not there, and another collector has signed this database's journal; copy ca.key, ca.pem, link-key and journal.key from its state folder, or, where that is lost for good, make a new key: openssl rand -hex 32 > journal.key": "{path}：不存在，而另一采集端已为该数据库的日志签名；请从其状态目录复制 ca.key、ca.pem、link-key、journal.key；如已彻底丢失，则另建密钥：openssl rand -hex 32 > journal.key",
    "an IP address and a port, as 10.0.0.1:8081": " IP 地址和端口，如 10.0.0.1:8081",
    "a port from 0 to 65535": " 0 至 65535 的端口",
    "a time like 30m, 1h or 7d, at most 30d": "时长，如 30m、1h 或 7d，至多 30d",
    "a number from 1 to {most}": " 1 至 {most} 的数",
    "up to 64 letters, digits, '.', '@', '_' or '-'": "至多 64 个字母、数字、“.”、“@”、“_”或“-”",
    "{path}: is not UTF-8 text": "{path}：不是 UTF-8 文本",
    "{path}: No such file or directory": "{path}：没有此文件或目录",
    "{path}: Permission denied": "{path}：没有访问权限",
    "{path}: Is a directory": "{path}：是目录而不是文件",
    "{path}: the settings name this folder, and it is not there": "{path}：设置中写明了此目录，但它不存在",
    "{path}: expected {expected:said}": "{path}：应为 {expected}",
    "--key {path}: a key of another kind, expected Ed25519; name another file": (
        "--key {path}：密钥种类不符，应为 Ed25519；请另指定文件"
    ),
    "--key {path}: {why}": "参数 --key {path}：{why}",
    "--listen {host}:{port}: {why}": "监听地址 --listen {host}:{port}：{why}",
    "{token}: no token in use has this id; `token list` names those that are": (
        "{token}：没有此编号的在用令牌；在用的由 `token list` 列出"
    ),
    "{node}: no active node has this id; the console lists them under nodes": (
        "{node}：没有使用此编号的在网节点；控制台“节点”页列有全部节点"
    ),
    "{plan}: found no plan of this id, expected one of {names}": (
        "{plan}：没有此编号的预案，应为以下之一：{names}"
    ),
    "--fact: found {names}, expected one of {known}": "--fact：发现 {names}，应为以下之一：{known}",
    "--asset: found {name}, expected an asset of the register": "--asset：发现 {name}，应为登记册中的资产",
    "--class: found {name}, expected a code of {standard}": "--class：发现 {name}，应为 {standard} 的代码",
    "--days: found {days}, expected 1 to 3660": "--days：发现 {days}，应为 1 至 3660",
    "--unit: found {name}, expected one of {names}": "--unit：发现 {name}，应为以下之一：{names}",
    "--unit {name} is not in {file}; it has: {names}": "--unit {name} 不在 {file} 中；其中有：{names}",
    "--person {name} is not among the people of {file}": "--person {name} 不在 {file} 的人员中",
    "unit {name} has no roster; put one into rosters/ of the escalation folder": (
        "单位 {name} 没有值班表；请在 escalation 目录的 rosters/ 中放一张"
    ),
    "no account of this name may sign in": "没有此名称的有效账号",
    "this name is taken": "此名称已被使用",
    "token: its authority can't be used: {why}; make another token": (
        "令牌：其中的 CA 无法使用：{why}；请重新生成令牌"
    ),
    "token: damaged or cut short; copy it whole, or create a new one": (
        "令牌损坏或不完整；请整行复制，或重新签发"
    ),
    "token: expected one word that begins with {prefix}; copy it whole": (
        "令牌应为以 {prefix} 开头的一个词；请整行复制"
    ),
    "calendars: the settings name no folder for them; name one, or print the file with --stdout": (
        "calendars：设置中没有写明其目录；请写明，或用 --stdout 输出文件内容"
    ),
    "{path}: stands there already; --replace puts the new one in its place": (
        "{path}：已存在；加 --replace 以新文件替换"
    ),
    "--region: found {region}, expected {expected:said}": "--region：发现 {region}，应为 {expected}",
    "state_dir {path}: this user may not write there": "state_dir {path}：当前用户没有写权限",
    "{why}; see `listen` in the settings": "{why}；请检查设置中的 `listen`",
}
