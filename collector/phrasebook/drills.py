"""What scripts of drills and the command `drill` may get wrong."""

CHINESE: dict[str, str] = {
    "drill {name}: there is none; `drill list` shows those that are": "演练 {name}：没有；`drill list` 列出已有的演练",
    "drill {name}: there is none": "演练 {name}：没有",
    "drill {name}: none of this id was announced from below": "演练 {name}：下级没有通报过此编号",
    "drill {name}: found {state}, expected a planned drill": "演练 {name}：发现 {state}，应为已计划的演练",
    "drill {name}: found {state}, expected a planned drill with its script": (
        "演练 {name}：发现 {state}，应为已写好脚本的计划演练"
    ),
    "drill {name}: found {state}, expected one that is running": "演练 {name}：发现 {state}，应为进行中的演练",
    "drill {name}: found {state}, expected a planned one; end a running one": (
        "演练 {name}：发现 {state}，应为已计划的演练；进行中的请结束"
    ),
    "{file}: found the class {code}, expected one of GB/T 20986-2023": (
        "{file}：发现类别 {code}，应为 GB/T 20986-2023 中的类别"
    ),
    "{file}: found the asset {asset}, expected one of the register": (
        "{file}：发现系统 {asset}，应为登记表中的系统"
    ),
    "{file}: found the plan {plan}, expected one of {names}": "{file}：发现预案 {plan}，应为以下之一：{names}",
    "schedule: found neither a script nor --name and --form, expected one of both": (
        "schedule：既没有脚本，也没有 --name 和 --form，应二者有其一"
    ),
    "no incident": "没有事件",
    "at least one event at which an incident begins": "至少一个事件发生",
    "after the end": "在结束之后",
    "a name of its own": "不与其他事件重复的名称",
    "an incident that has begun by then": "届时已发生的事件",
    "now, a length back such as -20m, or a time with offset": "now、如 -20m 的倒推时长，或带时区的时间",
}
