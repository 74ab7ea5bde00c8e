"""What the agent says to people, in zh and en; one sentence a code, so that none is written twice."""

from wire.vocabulary import Name

TEXTS: dict[str, Name] = {
    "token_malformed": Name(
        "令牌无法读取（{why}）。请原样粘贴 fengsui-collector token create 输出的整行。",
        "the token can't be read ({why}). Paste the whole line that `fengsui-collector token create` "
        "printed.",
    ),
    "token_refused": Name(
        "采集端 {url} 不接受该令牌：{why}。令牌只能用规定的次数和时间；请重新签发。",
        "the collector {url} does not accept the token: {why}. A token is good for its uses and its "
        "time only; "
        "have a new one made.",
    ),
    "classified": Name(
        "采集端 {url} 拒绝登记本机：{why}。涉密系统只登记名称，不安装探针。",
        "the collector {url} refuses to enrol this node: {why}. Classified systems are registered by "
        "name only.",
    ),
    "enrolment_failed": Name(
        "采集端 {url} 以状态 {status} 答复登记请求：{why}。",
        "the collector {url} answered the enrolment with status {status}: {why}.",
    ),
    "wrong_authority": Name(
        "{url} 的证书不是令牌所含 CA 签发的（{why}）。要么地址有误，要么有人冒充采集端；未发送任何内容。",
        "the certificate of {url} is not from the authority in the token ({why}). The address is wrong "
        "or someone "
        "poses as the collector; nothing was sent.",
    ),
    "unreachable": Name(
        "无法连接采集端 {url}：{why}。请检查地址、端口和防火墙。",
        "the collector {url} can't be reached: {why}. Check the address, the port and the firewall.",
    ),
    "answer_malformed": Name(
        "采集端 {url} 的答复无法使用：{why}。两端版本可能不一致。",
        "the answer of the collector {url} can't be used: {why}. The two sides may differ in version.",
    ),
    "state_folder": Name(
        "状态目录 {path} 不可用：{why}。请换用 --state-dir 或以有权限的用户运行。",
        "the state folder {path} can't be used: {why}. Give another by --state-dir or run as a user who may.",
    ),
    "already_enrolled": Name(
        "本机已登记为节点 {node}。如需重新登记，请加 --again（旧身份会保留在旁）。",
        "this host is enrolled as node {node}. To enrol it anew say --again; the old identity is kept "
        "beside.",
    ),
    "not_enrolled": Name(
        "{path} 中没有身份。请先运行 fengsui-agent enrol --collector URL --token T。",
        "there is no identity in {path}. Run `fengsui-agent enrol --collector URL --token T` first.",
    ),
    "identity_damaged": Name(
        "{path} 中的身份文件已损坏（{why}）：请取得新令牌并执行 fengsui-agent enrol --again；"
        "待发的上报保留在发件箱中。",
        "the identity in {path} is damaged ({why}): get a token and say fengsui-agent enrol --again; what "
        "waits stays in the outbox.",
    ),
    "enrolled": Name(
        "已登记：节点 {node}，单位 {unit}，采集端 {url}。身份保存在 {path}。",
        "enrolled: node {node}, unit {unit}, collector {url}. The identity is in {path}.",
    ),
    "root_unknown": Name(
        "{root} 不是设置 sources.files.roots 中的目录（其中有：{known}）。",
        "{root} is none of sources.files.roots in the settings (there: {known}).",
    ),
    "root_unreadable": Name(
        "无法认可 {root} 的内容：{why}。请以探针的用户运行。",
        "the content of {root} can't be accepted: {why}. Run this as the agent's user.",
    ),
    "root_accepted": Name(
        "已认可 {root} 的当前内容：{count} 个文件。",
        "what {root} holds now is accepted: {count} files.",
    ),
    "key_unreadable": Name(
        "无法使用私钥 {path}：{why}。生成方法：openssl genpkey -algorithm ed25519 -out {path}。",
        "the private key {path} can't be used: {why}. Make one by "
        "`openssl genpkey -algorithm ed25519 -out {path}`.",
    ),
    "site_unreadable": Name(
        "无法为 {root} 签发清单：{why}。", "no manifest of {root} could be written: {why}."
    ),
    "site_signed": Name(
        "已签发 {root} 的清单：{count} 个文件，版本 {version}，写入 {path}。设置中的 manifest_key：{key}",
        "signed {root}: {count} files, version {version}, written to {path}. "
        "The settings' manifest_key: {key}",
    ),
    "settings_right": Name("{file} 没有错误。", "{file} has no mistakes."),
    "settings_unreadable": Name("无法读取 {file}：{why}。", "can't read {file}: {why}."),
    "running": Name(
        "节点 {node} 已启动：{sources}；上报到 {collectors}。",
        "node {node} runs: {sources}; reports to {collectors}.",
    ),
    "stopping": Name("收到停止信号，正在结束。", "told to stop, ending."),
    "stopped": Name(
        "已停止；{reports} 条上报仍在本机磁盘上。", "stopped; {reports} reports remain on this disk."
    ),
    "reloaded": Name("已重新加载设置。", "settings reloaded."),
    "reload_refused": Name(
        "新设置有错误，继续使用旧设置：\n{why}", "the new settings have mistakes, the old ones stay:\n{why}"
    ),
    "reload_moves_state": Name(
        "state_dir 改变需要重启，继续使用旧设置。",
        "a change of state_dir needs a restart, the old settings stay.",
    ),
    "outbox_damaged": Name("{why}；从空的发件箱重新开始。", "{why}; an empty outbox begins."),
    "held": Name(
        "采集端暂不接收（{why}），{seconds:.0f} 秒后再试；上报保存在本机磁盘上。",
        "the collector takes nothing now ({why}), next try in {seconds:.0f} s; reports stay on this disk.",
    ),
    "certificate_ended": Name(
        "按本机时钟，本节点证书已于 {at:%Y-%m-%d} 到期，采集端会切断连接：若时钟无误，请取得新令牌并执行 "
        "fengsui-agent enrol --again（{why}）；{seconds:.0f} 秒后再试，上报保存在本机磁盘上。",
        "by this host's clock the node's certificate ended on {at:%Y-%m-%d}, and collectors cut the line: if "
        "the clock is right, get a token and say fengsui-agent enrol --again ({why}); next try in "
        "{seconds:.0f} s, reports stay on this disk.",
    ),
    "set_aside": Name(
        "采集端无法接收上报 {report}（{why}）；已移入表 refused 并上报缺口。",
        "the collector can't take report {report} ({why}); it is kept in the table `refused` and "
        "reported as a gap.",
    ),
    "renumbered": Name(
        "另有写入者延续了本发件箱的序列（磁盘克隆?）；已换新序列，未丢弃任何上报。",
        "another writer continued this outbox's epoch (a cloned disk?); a new epoch begins, nothing "
        "was dropped.",
    ),
    "rewound": Name(
        "采集端所存少于已确认的（由备份恢复?）；从其所存处继续。",
        "the collector holds less than it had confirmed (restored from a backup?); going on from what "
        "it holds.",
    ),
    "deputy_unnamed": Name(
        "设置 orders.deputy 未给出套接字路径。", "the settings name no socket in orders.deputy."
    ),
    "deputy_runs": Name("特权助手在 {path} 上等待：{verbs}。", "the deputy listens at {path} for: {verbs}."),
    "deputy_refused": Name(
        "拒绝了用户 {user} 使用特权助手；自启动以来共拒绝 {count} 次。",
        "user {user} may not ask the deputy and was refused; {count} refusals since its start.",
    ),
    "deputy_socket": Name("无法使用套接字 {path}：{why}。", "the socket {path} can't be used: {why}."),
    "settings_on_trial": Name(
        "采集端下发的设置第 {version} 版开始试用；{seconds:.0f} 秒内联系不上采集端即自动回退。",
        "settings {version} of the collector are on trial; without an answer of one within {seconds:.0f} s "
        "they are rolled back.",
    ),
    "settings_kept": Name("下发设置第 {version} 版已生效。", "settings {version} of the collector are kept."),
    "settings_rolled_back": Name(
        "下发设置第 {version} 版已回退（{why}），恢复第 {before} 版。",
        "settings {version} of the collector are rolled back ({why}); back to {before}.",
    ),
    "settings_silent": Name(
        "{seconds:.0f} 秒内没有采集端应答", "no collector answered within {seconds:.0f} s"
    ),
    "settings_disk_full": Name(
        "试用的情况无法写入磁盘（{why}），{seconds:.0f} 秒后再试。",
        "what became of a trial can't be written ({why}), next try in {seconds:.0f} s.",
    ),
    "pushed_unusable": Name(
        "采集端下发的设置无法使用（{why}），使用本机设置。",
        "the collector's settings can't be used ({why}); the node's own hold.",
    ),
    "order_ended": Name("指令 {order}：{state} {why}", "order {order}: {state} {why}"),
    "update_unset": Name(
        "未设置升级镜像：请在 {config} 中填写 update.mirror（目录或 https 地址）。",
        "no mirror is set: name a folder or an https address as update.mirror in {config}.",
    ),
    "update_extra_missing": Name(
        "未安装升级所需的库：请安装 fengsui[update]。",
        "the library for updates is not installed: install fengsui[update].",
    ),
    "update_root": Name(
        "可信根 {path} 无法读取：{why}。请从签名者处取得 root.json。",
        "the trusted root {path} can't be read: {why}. Get root.json from whoever signs.",
    ),
    "update_folder": Name(
        "{path} 不是版本目录：good 须指向含 RELEASE.json 的 a 或 b。"
        "首次请运行 fengsui-agent update --adopt。",
        "{path} is no folder of releases: `good` has to name a or b with a RELEASE.json. For the first time: "
        "fengsui-agent update --adopt.",
    ),
    "update_shared": Name(
        "{path} 中还装有采集端，而升级包只含探针：升级会使采集端消失。"
        "请把两者装在各自的目录里（docs/update.md）。",
        "{path} holds a collector too, and a release holds the agent alone: the first update would take the "
        "collector away. Install each in a folder of its own (docs/update.md).",
    ),
    "update_locked": Name("另一次升级正在进行（{path}）。", "another update is under way ({path})."),
    "mirror_away": Name(
        "镜像 {where} 暂不可达：{why}。当前版本继续运行。",
        "the mirror {where} can't be reached: {why}. What runs stays.",
    ),
    "mirror_slow": Name(
        "镜像 {where} 未能在 {seconds} 秒内（update.fetch_seconds）送完。当前版本继续运行。",
        "the mirror {where} took more than {seconds} s (update.fetch_seconds). What runs stays.",
    ),
    "mirror_refused": Name(
        "镜像 {where} 的内容不可信，未安装任何内容：{why}",
        "what the mirror {where} offers is not to be trusted, nothing was installed: {why}",
    ),
    "bundle_too_big": Name(
        "升级包 {path} 超过上限 {most} 字节（update.max_bytes）。",
        "the bundle {path} has more than {most} bytes (update.max_bytes).",
    ),
    "bundle_holds": Name(
        "升级包 {path} 含有不应有的 {member!r}：只允许 requirements.txt 和 wheels/*.whl，各一次。",
        "the bundle {path} holds {member!r}: only requirements.txt and wheels/*.whl may be in it, each once.",
    ),
    "bundle_unreadable": Name(
        "升级包 {path} 不是 tar 文件：{why}。", "the bundle {path} is no tar file: {why}."
    ),
    "bundle_step": Name("{step} 未能安装升级包：{why}", "{step} could not install the bundle: {why}"),
    "release_misfit": Name(
        "新版不接受本机设置：{why}", "the new release does not take this node's settings: {why}"
    ),
    "release_silent": Name(
        "{seconds:.0f} 秒内没有采集端答复新版。",
        "no collector answered the new release within {seconds:.0f} s.",
    ),
    "restart_failed": Name("{command} 失败：{why}", "{command} failed: {why}"),
    "update_none": Name("已是最新：{version}。", "nothing newer: {version} runs."),
    "update_offered": Name("可升级：{before} → {version}。", "there is a newer one: {before} -> {version}."),
    "update_adopted": Name(
        "{path} 现为版本目录，运行 {version}。", "{path} is a folder of releases now; {version} runs."
    ),
    "update_installed": Name("已升级：{before} → {version}。", "installed: {before} -> {version}."),
    "update_rolled_back": Name(
        "{version} 已退回到 {before}：{why}", "{version} was taken back, {before} runs: {why}"
    ),
    "source_failed": Name(
        "数据源 {source} 出错：{why}；{seconds:.0f} 秒后重新启动。",
        "source {source} failed: {why}; starts again in {seconds:.0f} s.",
    ),
    "disk_full": Name(
        "发件箱无法写入（{why}）；数据源等待，{seconds:.0f} 秒后再试。",
        "the outbox can't write ({why}); sources wait, next try in {seconds:.0f} s.",
    ),
}


def say(language: str, code: str, **values: object) -> str:
    """Return the sentence of a code in `language` (anything but zh reads English), with its values."""
    return TEXTS[code].in_language(language).format(**values)


class SaidError(RuntimeError):
    """An error that a person reads; permanent until the person acts."""

    def __init__(self, code: str, /, **values: object) -> None:
        self.code = code
        self.values = values
        super().__init__(say("en", code, **values))

    def in_language(self, language: str) -> str:
        """Return its sentence in `language`."""
        return say(language, self.code, **self.values)
