"""What backing up and restoring refuse."""

CHINESE: dict[str, str] = {
    "{path}: no such database; name the settings of a collector that has run": (
        "{path}：没有此数据库；请指定已运行过的采集端的设置"
    ),
    "{path}: lies in the state folder itself; name one elsewhere": (
        "{path}：位于状态目录之内；请指定别处的目录"
    ),
    "{path}: found {n} entries, expected a new or an empty folder": (
        "{path}：其中已有 {n} 项，应为新建或空的目录"
    ),
    "{path}: found more than {n} files, expected a collector's own folder": (
        "{path}：文件超过 {n} 个，应为采集端自己的目录"
    ),
    "{path}: this backup was not finished; make another": "{path}：此备份没有做完；请重新备份",
    "{path}: {why}; name the folder that `fengsui-collector backup` made": (
        "{path}：{why}；请指定 `fengsui-collector backup` 所建的目录"
    ),
    "{path}: found more than {n} bytes, expected a backup's manifest": (
        "{path}：超过 {n} 字节，应为备份清单"
    ),
    "{path}: not a backup's manifest: {why}": "{path}：不是备份清单：{why}",
    "{path}: found format {n}, expected {m}; use the version of Fengsui that made it": (
        "{path}：格式为 {n}，应为 {m}；请用制作它的烽燧版本"
    ),
    "{path}: found the path {name}, expected one below the backup's folder": (
        "{path}：发现路径 {name}，应在备份目录之内"
    ),
    "{path}: names no {name}; a backup has both databases": "{path}：清单中没有 {name}；备份应含两个数据库",
    "{path}: a restore is at work here; start when it has ended": "{path}：正在恢复；请在恢复结束后启动",
    "{path}: a restore was begun and not finished; run it again: fengsui-collector restore {backup}": (
        "{path}：恢复尚未完成；请再次执行：fengsui-collector restore {backup}"
    ),
    "{path}: a collector runs here; stop it first": "{path}：采集端正在运行；请先停止",
    "{path}: {why}; restore again": "{path}：{why}；请重新恢复",
    "{path}: has faults; nothing was restored": "{path}：有错误；未作任何恢复",
    "state_dir {path}: {why}; name a folder this user may write": (
        "state_dir {path}：{why}；请指定当前用户可写的目录"
    ),
    "state_dir {path}: belongs to the user {user}; restore as that user, who runs the collector": (
        "state_dir {path}：属于用户 {user}；请以该用户（运行采集端的用户）恢复"
    ),
    "{path}: found {n} entries, such as {name}; --replace sets them aside first": (
        "{path}：其中已有 {n} 项，如 {name}；加 --replace 先移开"
    ),
    "{path}: is there already; --replace sets it aside first": "{path}：已存在；加 --replace 先移开",
    "{where}: found {n} connections of collectors that run; stop every one of them first": (
        "{where}：有采集端的 {n} 个连接；请先停止所有采集端"
    ),
    "{where}: holds records already; --replace lets go of them": "{where}：已有记录；加 --replace 将其删除",
    "{path}: another process has it open; stop it first": "{path}：另有进程正在使用；请先停止",
    "{path}: found SHA-256 {found}, expected {expected}": "{path}：SHA-256 为 {found}，应为 {expected}",
    "{path}: found {n} bytes, expected {m}": "{path}：{n} 字节，应为 {m} 字节",
    "{path}: found a link, expected the file itself": "{path}：是链接，应为文件本身",
    "schema: found {found}, this version of Fengsui knows {known}; install the version that made the backup": (
        "库结构：{found}，此版本只认识到 {known}；请安装制作备份的版本"
    ),
    "schema: found {found}, expected {expected}": "库结构：{found}，应为 {expected}",
    "the state database has schema {found}, this version of Fengsui has {known}; "
    "use the version that wrote it, or start the collector once": (
        "状态数据库结构为 {found}，此版本为 {known}；请用写入它的版本，或先启动一次采集端"
    ),
    "journal: chain {chain} breaks at entry {n}: {why}": "日志：链 {chain} 在第 {n} 条断裂：{why}",
    "journal: found {n} entries, expected {m}": "日志：{n} 条，应为 {m} 条",
    "{column}: found {n} rows whose other row is missing, such as {example}": (
        "{column}：{n} 行所指的行不存在，如 {example}"
    ),
    "{name}: damaged: {line}": "{name}：已损坏：{line}",
    "{name}: row {row} of {table} names a row of {named} that is missing": (
        "{name}：{table} 第 {row} 行所指的 {named} 行不存在"
    ),
    "{name}: ends at position {n}, expected {m}, not before {k}": (
        "{name}：止于位置 {n}，应为 {m}，且不早于 {k}"
    ),
    "{name}: found {n} sessions behind their own batches": "{name}：{n} 个会话落后于自己的批次",
    "{name}: belongs to another key than {key}": "{name}：与 {key} 不是一对",
    "{name}: cannot be used: {why}": "{name}：无法使用：{why}",
    "{name}: cannot be read: {why}": "{name}：无法读取：{why}",
    "{table}: wrote {n} rows of {m}; nothing was kept": "{table}：只写入 {n} / {m} 行；已全部撤回",
    "{path}: the databases could not be copied: {why}": "{path}：数据库无法复制：{why}",
    "{path}: is not there; the backup has the settings: copy {settings} to {folder} first": (
        "{path}：不存在；备份中有设置：请先把 {settings} 复制到 {folder}"
    ),
}
