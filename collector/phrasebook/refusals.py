"""What the desk refuses: the sentences of problem pages, and those of the rooms that stand behind it."""

CHINESE: dict[str, str] = {
    # reports and their proof
    "way: found answer, but the report was not mailed": "way：发现 answer，但该报告不是以邮件报送的",
    "attachment: the incident has none with the id {id}": "attachment：该事件没有编号为 {id} 的附件",
    "attachment: found an answer to {others}, expected one to {ours}": (
        "attachment：所附邮件答复的是 {others}，应为对 {ours} 的答复"
    ),
    "attachment: found a mail that says neither that it arrived nor that it came back": (
        "attachment：该邮件既未说明已送达，也未说明被退回"
    ),
    "attachment: found no mail, expected an .eml file as the mail program saves it": (
        "attachment：不是邮件，应为邮件程序保存的 .eml 文件"
    ),
    "attachment: found a mail of {count} {what}, expected at most {most}": (
        "attachment：该邮件的 {what} 为 {count}，至多 {most}"
    ),
    "attachment: expected at most {size} bytes": "attachment：至多 {size} 字节",
    "attachment: expected a PDF, PNG, JPEG or .eml file": "attachment：应为 PDF、PNG、JPEG 或 .eml 文件",
    "items: found a text above {size} characters": "items：文字超过 {size} 个字符",
    "items: found {numbers}; {clock} asks {count} items": "items：发现 {numbers}；{clock} 共有 {count} 项",
    "{key}: was filed before ({when}); what is new goes into the supplement": (
        "{key}：此前已报送（{when}）；新情况写入补充报告"
    ),
    "{key}: is being sent just now; look again in a minute": "{key}：正在发送，请一分钟后再看",
    "{key}: found no statement in what is to be filed": "{key}：待报送内容中没有报告正文",
    "filed_at: found {at}, expected a time from {first} until now": "filed_at：发现 {at}，应为 {first} 至现在的时间",
    "number: found neither a number nor an attachment, one of them proves the filing": (
        "number：既无编号也无附件，须有其一作为报送凭证"
    ),
    "way: found upstream, but settings.routes name no way up to {recipient}; file it by the authority's own "
    "channel and record the proof": (
        "way：发现 upstream，但设置 routes 中没有到 {recipient} 的上报途径；请经主管部门的渠道报送并登记凭证"
    ),
    "clock {clock}: the incident owes no such report": "时限 {clock}：该事件没有此项报告义务",
    "clock {clock}: there is none; a filing names a clock of `clocks`": "时限 {clock}：不存在；报送须指明 `clocks` 中的时限",
    "the incident owes no report {clock}": "该事件没有报告 {clock}",
    "the incident owes no such report, so there is no document of it": "该事件没有此项报告义务，因此没有相应文书",
    "{kind}: found no such kind of document, expected one of {kinds}": "{kind}：没有此种文书，应为以下之一：{kinds}",
    "{kind} by {template}: {why}": "以 {template} 生成 {kind}：{why}",
    "{kind}: the worker ended with {code} and {size} bytes": "{kind}：生成进程以 {code} 结束，输出 {size} 字节",
    "{kind}: took more than {seconds} seconds": "{kind}：超过 {seconds} 秒",
    # incidents
    "incident {incident}: there is none": "没有事件 {incident}",
    "there is no incident {incident}": "没有事件 {incident}",
    "incident is {state}, asked for {to}; from here it may go to {ways}": (
        "事件状态为 {state}，要求改为 {to}；从当前状态只能改为 {ways}"
    ),
    "level {level} is final; only a proposed level is confirmed": "{level} 级已确定；只有建议级别需要确认",
    "level {level} is to be confirmed, but {now} is proposed by now": "要确认的是 {level} 级，但现在的建议级别是 {now}",
    "clock {clock} is {state}; only one that is overdue in doubt is confirmed": (
        "时限 {clock} 的状态为 {state}；只有存疑的逾期需要确认"
    ),
    "found the actor {actor}, expected a named person: it is their word": "发现 {actor}，应为具名人员：以其本人意见为准",
    "{actor} has acknowledged it already; it needs {count} more of other people": (
        "{actor} 已签收；还需另外 {count} 人签收"
    ),
    "incident {incident}: found {found}; expected a named person and a reason, because a clock may get later by this": (
        "事件 {incident}：发现 {found}；应为具名人员并说明原因，因为时限可能因此推后"
    ),
    "incident {incident} is no drill's": "事件 {incident} 不属于演练",
    "found both or none of level and clock, expected one of them": "level 与 clock 须且只须给出一个",
    "reason: found nothing, expected why the incident is closed": "reason：空，应说明关闭事件的原因",
    "reason: found nothing, expected why": "reason：空，应说明原因",
    # plans
    "found both or none of incident and unit, expected one of them": "incident 与 unit 须且只须给出一个",
    "reason: found nothing, expected why the plan is started": "reason：空，应说明启动预案的原因",
    "there is no run {run}": "没有预案执行 {run}",
    "there is no incident or unit {key}": "没有事件或单位 {key}",
    "there is no unit {unit}": "没有单位 {unit}",
    "no plan is for {warning}; plans say so by `warnings` and `classes`": (
        "没有适用于 {warning} 的预案；预案以 `warnings` 和 `classes` 说明适用范围"
    ),
    "there is no step {step} in this run": "该次执行中没有步骤 {step}",
    "step {step} is a {kind} and does not wait for a person": "步骤 {step} 的种类为 {kind}，不等待人员",
    "step {step} of run {run} was never there": "执行 {run} 中从未有步骤 {step}",
    "step {step} of run {run} is not open; open are: {steps}": "执行 {run} 的步骤 {step} 未开放；开放的有：{steps}",
    "until: found {until}, expected a time within the next 7 days": "until：发现 {until}，应为 7 天以内的时间",
    "until: found {until}, expected a time": "until：发现 {until}，应为时间",
    "run {run} was never there; look at the incident's newest run": "没有执行 {run}；请查看该事件最新的执行",
    "run {run} is {state}; {why}": "执行 {run} 的状态为 {state}；{why}",
    "decision: found {found}, expected one of {names}": "decision：发现 {found}，应为以下之一：{names}",
    "decision: found {found}, expected approve or refuse": "decision：发现 {found}，应为 approve 或 refuse",
    "{step} is approved by the role {role}, found {found}": "{step} 由角色 {role} 批准，发现 {found}",
    "{actor} has spoken already; the other approvals are for other people": "{actor} 已表态；其余批准须由他人作出",
    "{actor} has done a step of this run; four eyes are asked for": "{actor} 已执行过本次的步骤；此处要求双人复核",
    "level: found {level}, expected one of {levels}": "level：发现 {level}，应为以下之一：{levels}",
    "plan: found {plan}, expected one of {plans}": "plan：发现 {plan}，应为以下之一：{plans}",
    "incident: found {incident}, expected one that is open": "incident：发现 {incident}，应为未关闭的事件",
    "the plan {plan} cannot be started: expected {expected}": "预案 {plan} 不能启动：应为 {expected}",
    # drills
    "collector {node} of unit {unit} announces a drill of {other}": "单位 {unit} 的采集端 {node} 通报了 {other} 的演练",
    "drill {drill} was announced by another collector": "演练 {drill} 由另一采集端通报",
    "filing {key}: found one of a drill ({drill}), expected one that its sender announced, a person here "
    "accepted, and that is under way; accept it with `drill accept`": (
        "报送 {key}：属于演练（{drill}），应为对方已通报、本方已有人同意且正在进行的演练；请用 `drill accept` 同意"
    ),
    "there is no drill {drill}": "没有演练 {drill}",
    "there is no announced drill {drill}": "没有已通报的演练 {drill}",
    "there is no report as {kind}": "没有 {kind} 形式的报告",
    "this collector makes no reports of drills": "本采集端不生成演练报告",
    "this collector holds no drills": "本采集端不开展演练",
    "name, name_en: found nothing, expected both where no script is": "name、name_en：空，没有脚本时两者都须给出",
    "text: found nothing, expected why the drill is cancelled": "text：空，应说明取消演练的原因",
    "unit: found {unit}, expected one of the register": "unit：发现 {unit}，应为登记册中的单位",
    "the drill is {state}; only a planned one is written": "演练状态为 {state}；只有已计划的演练可以编写",
    "incident.name: {name} is taken in this drill": "incident.name：{name} 在本次演练中已使用",
    "facts.of: {name} has not begun": "facts.of：{name} 尚未开始",
    "planned_at: found {at}, expected a time": "planned_at：发现 {at}，应为时间",
    "state: found {state}, expected accepted or declined": "state：发现 {state}，应为 accepted 或 declined",
    # nodes, orders, evidence
    "reason: found nothing, expected why this shall really be done": "reason：空，应说明真正执行的原因",
    "there is no evidence {pack}": "没有证据 {pack}",
    "there is no node {node}": "没有节点 {node}",
    "node {node} is {state} and of kind {kind}": "节点 {node} 的状态为 {state}，种类为 {kind}",
    "evidence {pack} is {state}: {why}": "证据 {pack} 的状态为 {state}：{why}",
    # forms and links
    "found {found}, expected one of {names}": "发现 {found}，应为以下之一：{names}",
    "deed: found {found}, expected one of {names}": "deed：发现 {found}，应为以下之一：{names}",
    "to: found {found}, expected one of {names}": "to：发现 {found}，应为以下之一：{names}",
    "kind: found {found}, expected one of {names}": "kind：发现 {found}，应为以下之一：{names}",
    "medium: found {found}, expected one of {names}": "medium：发现 {found}，应为以下之一：{names}",
    "field {name}: found {found}, expected a time": "{name}：发现 {found}，应为时间",
    "field {name}: found {found}, expected a {kind}": "{name}：发现 {found}，应为 {kind}",
    "params: {why}": "params 有误：{why}",
    "{name}: expected at most {size} bytes": "{name}：至多 {size} 字节",
    "found {found}, expected a form of the console": "发现 {found}，应为控制台的表单",
    "the form is not UTF-8 text": "表单不是 UTF-8 文本",
    "the form cannot be read": "表单无法读取",
    "the form holds more than it asks for": "表单内容超出所要求的范围",
    "found {found}, expected this page's form": "发现 {found}，应为本页的表单",
    "confirm: found nothing, expected the page's own button": "confirm：空，请使用页面上的按钮",
    "the address holds an id that no object can have": "地址中的编号不可能存在",
    "{number} is no receipt number": "{number} 不是回执编号",
    "there is no received report {number}": "没有收到的报告 {number}",
    "this collector makes no links": "本采集端不生成链接",
    "what this link stood for is gone": "该链接所指的内容已不存在",
    "this link is not one of ours, or was cut short; copy it whole": "该链接不是本系统签发的，或不完整；请完整复制",
    "the time of this link is over; sign in at the console": "该链接已过期；请登录控制台",
    "see the collector's log for this time": "请查看采集端该时刻的日志",
    "the page's token ({name}) is missing or old; load it again": "页面令牌（{name}）缺失或已过期；请重新加载页面",
    "the request comes from another site": "请求来自其他站点",
    "too many sign-ins at once; try again in a moment": "同时登录的人过多；请稍后再试",
    "the role {role} may not {deed} here": "角色 {role} 无权在此 {deed}",
    "there is no {what}": "没有 {what}",
    # keys and files of trust
    "csr: its signature does not fit its key; make it anew": "csr：签名与密钥不符；请重新生成",
    "csr: its key is no EC P-256 or P-384; make such a key": "csr：密钥不是 EC P-256 或 P-384；请生成此种密钥",
    "csr: not a PKCS #10 request in PEM ({why})": "csr：不是 PEM 格式的 PKCS #10 请求（{why}）",
    "{file}: belongs to another key than {other}; restore both": "{file}：与 {other} 不是同一密钥；请一并恢复",
    "{file}: the authority's files can't be used: {why}": "{file}：CA 文件无法使用：{why}",
    "{file}: {why}; it holds the key of the journal's checkpoints in hex": "{file}：{why}；其中应为日志检查点密钥（十六进制）",
    "{file}: {why}; it holds the newest checkpoint of the journal": "{file}：{why}；其中应为最新的日志检查点",
    "{file}: there is no authority yet; start the collector once": "{file}：还没有 CA；请先启动一次采集端",
    "{file}: a rotation is under way; end it by `ca switch` and `ca retire`": (
        "{file}：正在更换 CA；请用 `ca switch` 和 `ca retire` 完成"
    ),
    "{file}: there is no next authority; begin by `ca rotate`": "{file}：没有下一个 CA；请先运行 `ca rotate`",
    "{file}: there is no old authority to retire; `ca switch` comes first": "{file}：没有可停用的旧 CA；请先运行 `ca switch`",
    "{file}: secret: found {size} bytes, expected 1 to {most} besides white space": (
        "{file}：密钥文件为 {size} 字节，除空白外应为 1 至 {most} 字节"
    ),
    "{file}: secret: found {size} bytes, expected {count}": "{file}：密钥文件为 {size} 字节，应为 {count} 字节",
    "{file}: secret: found mode {mode}, expected one that others cannot read: chmod 0600": (
        "{file}：密钥文件权限为 {mode}，应使他人不可读：chmod 0600"
    ),
    "{file}: secret: {why}": "{file}：密钥文件：{why}",
    "{file}: {why}; join the collector above again": "{file}：{why}；请重新接入上级采集端",
    "{file}/certificate.pem: {why}; join the collector above again": "{file}/certificate.pem：{why}；请重新接入上级采集端",
    "{url} answered what we do not understand: {why}": "{url} 的答复无法理解：{why}",
    "{step} is {state}; a newest visit that has failed can be retried": "{step} 的状态为 {state}；只有最近一次失败的步骤可以重办",
    "the run has gone on from {steps}; what follows there stands in its place": "预案已从 {steps} 继续执行，后续步骤已取代它",
    "the run's response level is {level} already": "该预案执行的响应级别已经是 {level}",
    "run {run} is {state}, not {states}": "预案执行 {run} 的状态为 {state}，而非 {states}",
    "no page or resource at {path}": "没有该页面或资源：{path}",
    "{method} is not one of what {path} takes": "{path} 不接受 {method} 请求",
    "a body above {size} bytes": "请求正文超过 {size} 字节",
    "{url} refused ({status}): {why}": "{url} 拒绝（{status}）：{why}",
}
