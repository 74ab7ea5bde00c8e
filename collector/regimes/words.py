"""What people read for the codes of an answer, and for where a law says it."""

import re

from wire.vocabulary import Name

from .obligations import State

STATES: dict[State, Name] = {
    "open": Name("进行中", "open"),
    "met": Name("已按时报送", "met"),
    "met_late": Name("已报送（逾期）", "met late"),
    "overdue": Name("已逾期", "overdue"),
    "not_yet": Name("尚未触发", "not yet"),
    "cannot_compute": Name("无法计算", "cannot compute"),
    "no_number": Name("法规未定时限", "no number in the law"),
}

RECIPIENTS: dict[str, Name] = {
    "provincial_cac": Name("省级网信部门", "provincial cyberspace administration"),
    "national_cac": Name("国家网信部门", "national cyberspace administration"),
    "own_cac_office": Name("本部门网信工作机构", "own department's cyberspace office"),
    "cii_protection_department": Name("关键信息基础设施保护工作部门", "CII protection department"),
    "police": Name("公安机关", "police"),
    "informatization_authority": Name("信息化主管部门", "informatization authority"),
    "superior": Name("上级单位", "superior unit"),
    "csirt": Name("计算机安全事件响应组", "CSIRT"),
    "competent_authority": Name("主管机关", "competent authority"),
    "dpa": Name("数据保护机关", "data protection authority"),
    "cisa": Name("美国网络安全和基础设施安全局", "CISA"),
    "congress": Name("美国国会", "Congress"),
    "cert_in": Name("印度计算机应急响应组", "CERT-In"),
    "csa": Name("新加坡网络安全局", "CSA Singapore"),
    "kisa": Name("韩国互联网振兴院", "KISA"),
    "asd": Name("澳大利亚信号局", "ASD's ACSC"),
    "commissioner": Name("关键基础设施（电脑系统安全）专员", "Commissioner of Critical Infrastructure"),
}

_READ = {
    " (secondary source)": "（二手资料）",
    " (consultation draft of 2023-12-08)": "（2023-12-08 征求意见稿）",
    " (fragments only)": "（仅见片段）",
    " (not found)": "（未查到）",
}


def cited(source: str, language: str) -> str:
    """Return where a law says something, as people of a language cite it.

    >>> cited("Art. 4 para. 2", "zh"), cited("annex, 较大", "zh"), cited("Art. 4", "en")
    ('第4条第2款', '附件《网络安全事件分级指南》较大', 'Art. 4')
    """
    if language != "zh":
        return source
    text = re.sub(r"\bArts?\. ([0-9]+)", r"第\1条", source)
    text = re.sub(r" ?(?:para\. |\()([0-9]+)\)?(?=$|[ ,;、])", r"第\1款", text)
    text = re.sub(r"^annex,? ?", "附件《网络安全事件分级指南》", text)
    for english, chinese in _READ.items():
        text = text.replace(english, chinese)
    return text
