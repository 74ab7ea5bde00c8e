"""What the demo says of each step, in plain words, zh or en."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TextIO

from wire.vocabulary import LEVELS, Name

from .proof import Proof, instant

TITLES: dict[str, Name] = {
    "collector_ready": Name("采集端就绪", "collector ready"),
    "agent_enrolled": Name("探针已入网", "agent enrolled"),
    "asset_reported": Name("资产已上报", "asset reported"),
    "exits_reported": Name("互联网出口已上报", "exits reported"),
    "incident_detected": Name("探针发现页面被篡改", "tampering detected by the agent"),
    "incident_opened": Name("事件已立案(已落盘后确认)", "incident opened (committed, then acknowledged)"),
    "graded": Name("已定级", "graded"),
    "obligations_opened": Name("报告义务已起算", "obligations opened"),
    "plan_started": Name("预案已启动", "plan started"),
    "notice_sent": Name("已通知值班员", "duty officer notified"),
    "report_filed": Name("已报送信息化主管部门", "report filed with the informatization authority"),
    "receipt_received": Name("已收到回执,时钟停止", "receipt received, the clock is met"),
}
HOUSE_TARGET = Name("内部目标,不是法定时限", "a house target, not law")
NO_NUMBER = Name("法规未写明时限", "the law names no number")


class Teller:
    """Writes lines for people; knows the language and nothing of how the demo runs."""

    def __init__(self, language: str, out: TextIO) -> None:
        self._language = language
        self._out = out

    def say(self, zh: str, en: str) -> None:
        """Write a line."""
        print(zh if self._language == "zh" else en, file=self._out, flush=True)

    def step(self, name: str, proof: Proof, seconds: float) -> None:
        """Write a step as it happens."""
        title = TITLES[name].in_language(self._language)
        print(
            f"{_clock(proof.at)}  {seconds:6.2f} s  {title}{self._detail(name, proof.row)}",
            file=self._out,
            flush=True,
        )

    def obligations(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write every obligation with its due time or house target."""
        for row in rows:
            self._indent(f"{row['obligation']} -> {row['recipient']}: {self._due(row)}")

    def run_steps(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write the plan's steps so far."""
        for row in rows:
            self._indent(f"{row['step']} ({row['kind']}): {row['state']}")

    def _due(self, row: Mapping[str, Any]) -> str:
        if row["due_at"]:
            return _clock(instant(row["due_at"]))
        if row["target_at"]:
            return f"{_clock(instant(row['target_at']))} ({HOUSE_TARGET.in_language(self._language)})"
        return NO_NUMBER.in_language(self._language)

    def _detail(self, name: str, row: Mapping[str, Any]) -> str:
        if name == "graded":
            return ": " + self._level(row)
        keys = {
            "agent_enrolled": "host_name",
            "plan_started": "plan",
            "notice_sent": "person",
            "report_filed": "obligation",
        }
        return f": {row[keys[name]]}" if name in keys and row[keys[name]] else ""

    def _level(self, row: Mapping[str, Any]) -> str:
        level = row["level"]
        text = f"{level} {LEVELS[level].in_language(self._language)}" if level in LEVELS else "-"
        rise = row["next_level"]
        if rise:
            when = _clock(instant(rise["at"]))
            text += self._either(
                f";若持续,{when} 升为 {rise['level']} 级", f"; if it goes on, level {rise['level']} at {when}"
            )
        return text

    def _either(self, zh: str, en: str) -> str:
        return zh if self._language == "zh" else en

    def _indent(self, text: str) -> None:
        print(f"{'':21}{text}", file=self._out, flush=True)


def _clock(time: datetime) -> str:
    return time.astimezone().strftime("%H:%M:%S")
