"""What a running collector says to whoever started it: one line a matter."""

CHINESE: dict[str, str] = {
    "first start: account {name}, password {password} (also in {path}: remove it)": "首次启动：账号 {name}，密码 {password}（另存于 {path}，看过请删除）",
    "agents at port {port}, console at http://{place}/": "探针入口：端口 {port}；控制台：http://{place}/",
    "reload refused, the settings in use stay in use:": "拒绝重新加载，继续使用原有设置：",
    "reloaded, but the channels in use stay in use:": "已重新加载，但通知渠道仍用原有的：",
    "reloaded, but the journal could not take it: {why}": "已重新加载，但未能记入审计日志：{why}",
    "reloaded": "已重新加载",
    "reloaded; a new start is needed for: {names}": "已重新加载；以下各项须重新启动才生效：{names}",
    "the journal's end is not signed: {why}": "审计日志的末尾未能签名：{why}",
    "{path}: the journal was last signed by another key; collectors on one database share it": "{path}：审计日志上次由另一密钥签名；共用一个数据库的采集端须用同一密钥",
    "{place}: found {found:said}, expected {expected:said}": "{place}：发现 {found}，应为 {expected}",
    "{name} died: {why}": "{name} 意外终止：{why}",
    "{name} did not close within {seconds} s; left as it is": "{name} 未能在 {seconds} 秒内结束；不再等待",
    "old batches are kept for now: {why}": "过期批次暂不清除：{why}",
    "the certificate for the collector above is not renewed yet: {why}": "与上级采集端通信的证书尚未续期：{why}",
}
