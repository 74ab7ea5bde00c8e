"""What regime files, calendars and described incidents may get wrong."""

CHINESE: dict[str, str] = {
    "a limit such as 30m, 4h, 30d, 1mo (a calendar month) or 5wd (working days)": (
        "时限，如 30m、4h、30d、1mo（日历月）或 5wd（工作日）"
    ),
    "a region by ISO 3166 such as CN-12 or DE": "ISO 3166 地区代码，如 CN-12 或 DE",
    "a time zone such as Asia/Shanghai": "时区，如 Asia/Shanghai",
    "a GB/T 20986 class code such as NAWEBMOD": "GB/T 20986 事件分类代码，如 NAWEBMOD",
    "an obligation such as cn-cac-2025/first or cn-cac-2025/first/police": (
        "报告义务编号，如 cn-cac-2025/first 或 cn-cac-2025/first/police"
    ),
    "the regime {name}": "报告制度 {name}",
    "the stage {name}": "阶段 {name}",
    "a stage of {regime}: {names}": "{regime} 的阶段之一：{names}",
    "regime/stage of a loaded regime": "已载入报告制度的“制度/阶段”",
    # conditions
    "a condition in CEL": "CEL 条件",
    "a condition in CEL ({why:said})": "CEL 条件（{why}）",
    "it is empty": "条件为空",
    "it has more than {count} words": "超过 {count} 个词",
    "it is nested more than 10 levels deep": "嵌套超过 10 层",
    "{token} closes nothing": "{token} 没有对应的开括号",
    "{token} is never closed": "{token} 没有闭合",
    "'!' stands twice": "“!” 连续出现两次",
    "the comparison after '!' needs parentheses": "“!” 之后的比较需要加括号",
    "{token} is not used here": "此处不能使用 {token}",
    "something is missing before {token}": "{token} 之前缺少内容",
    "unknown name {name}": "未知名称 {name}",
    "unknown code {code}, expected one of {names}": "未知代码 {code}，应为以下之一：{names}",
    "{text} does not compare like with like: {why}": "{text} 比较的类型不一致：{why}",
    # across fields of a regime
    "{name} again": "重复的 {name}",
    "every id once": "每个编号只出现一次",
    "{name}, which stands in {file} too": "{name}，{file} 中已有",
    "an id of its own": "独有的编号",
    "an id that ends in its level, .{level}": "以级别 .{level} 结尾的编号",
    "no subject": "无主体",
    "no 'figure'": "没有 'figure'",
    "a condition that uses the figure given": "使用所给数值（figure）的条件",
    "the unit of the figure": "数值的单位",
    "minutes compared with >= on their right side": "分钟数写在 >= 左侧的比较",
    "a condition that does not hang on the level it gives": "不依赖其所定级别的条件",
    "the name 'figure'": "名称 'figure'",
    "the name {name}": "名称 {name}",
    "a condition without it (only criteria have a figure)": "不含该名称的条件（只有定级标准才有数值）",
    "a condition without 'figure' and 'known_level'": "不含 'figure' 和 'known_level' 的条件",
    "an earlier stage": "在前的阶段",
    "at least one recipient": "至少一个接收方",
    "filed:STAGE, since the stage begins after open items": "filed:阶段，因为该阶段自遗留事项起算",
}
