"""The demo's folder: settings of both collectors and the agent, the register, and a small web root.

DIR/city.yaml  DIR/district.yaml  DIR/registry.yaml  DIR/agent.yaml
DIR/city/      DIR/district/      DIR/agent/         databases, keys, ports.json
DIR/webroot/   the page that is tampered             DIR/logs/  what the children said
"""

from pathlib import Path
from typing import Any

import yaml

CITY, DISTRICT, PORTAL = "demo-city", "demo-district", "demo-portal"
OFFICERS = {
    "demo-duty": "值班员",
    "demo-deputy": "值班员",
    "demo-leader": "负责人",
    "demo-city-duty": "值班员",
}
_ANY_EXIT = {"exits": "free"}

# The demo tampers with a page of its own; what is wrong with its visitor's host is no part of the play.
_NOT_THIS_HOST: dict[str, Any] = {
    name: {"enabled": False}
    for name in ("processes", "persistence", "privileges", "setuid", "logs", "timekeeping")
}


class Stage:
    """Where everything of the demo lies; `build` writes it."""

    def __init__(self, folder: Path, language: str) -> None:
        self.folder = folder
        self._language = language

    @property
    def webroot(self) -> Path:
        """The web root the agent watches."""
        return self.folder / "webroot"

    @property
    def home_page(self) -> Path:
        """The page that is tampered."""
        return self.webroot / "index.html"

    @property
    def agent_state(self) -> Path:
        """Where the agent keeps its key, outbox and baselines."""
        return self.folder / "agent"

    def settings(self, name: str) -> Path:
        """Return the settings file of `city`, `district` or `agent`."""
        return self.folder / f"{name}.yaml"

    def state(self, name: str) -> Path:
        """Return the state folder of `city` or `district`."""
        return self.folder / name

    def database(self, name: str) -> Path:
        """Return the state database of `city` or `district`."""
        return self.state(name) / "state.db"

    def build(self, webhook: str) -> None:
        """Write the folder; `webhook` is the address that notices go to."""
        for name in ("webroot", "logs", "agent", "city", "district"):
            (self.folder / name).mkdir(parents=True, exist_ok=True, mode=0o700)
        self.home_page.write_text(_PAGE, encoding="utf-8")
        self._write("registry.yaml", _registry(webhook))
        self._write("city.yaml", self._collector("city", CITY, webhook))
        self._write("district.yaml", self._collector("district", DISTRICT, webhook))
        self._write("agent.yaml", self._agent())

    def tamper(self) -> None:
        """Do what an intruder would: replace the home page."""
        self.home_page.write_text(
            "<html><title>owned</title><body>hacked by nobody</body></html>\n", encoding="utf-8"
        )

    def _collector(self, name: str, unit: str, webhook: str) -> dict[str, Any]:
        routes = (
            {"informatization_authority": {"way": "upstream", "auto": True}} if name == "district" else {}
        )
        return {
            "unit": unit,
            "registry": "registry.yaml",
            "state_dir": name,
            "listen": {
                "agents": {"host": "127.0.0.1", "port": 0, "names": ["127.0.0.1", "localhost"]},
                "console": {"host": "127.0.0.1", "port": 0},
            },
            "routes": routes,
            "channels": [{"name": "webhook", "kind": "webhook", "url": webhook, "timeout": "5s"}],
            "language": self._language,
        }

    def _agent(self) -> dict[str, Any]:
        return {
            "state_dir": str(self.agent_state),
            "unit": DISTRICT,
            "assets": [{"id": PORTAL, "name": "演示区政府门户网站", "mlps_grade": 3}],
            "sources": {"files": {"roots": [{"path": str(self.webroot)}]}} | _NOT_THIS_HOST,
        }

    def _write(self, name: str, content: dict[str, Any]) -> None:
        (self.folder / name).write_text(
            yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8"
        )


def _registry(webhook: str) -> dict[str, Any]:
    unit = {
        "kind": "local_government",
        "region": "CN-12",
        "sector": "government",
        "timezone": "Asia/Shanghai",
    }
    return {
        "zones": {zone: dict(_ANY_EXIT) for zone in ("intranet", "extranet", "private", "internet")},
        "units": {
            CITY: {
                "name": "演示市信息化主管部门",
                "name_en": "Demo City Informatization Authority",
                "level": "prefecture",
            }
            | unit
            | {"duty": ["demo-city-duty"]},
            DISTRICT: {
                "name": "演示区大数据中心",
                "name_en": "Demo District Data Centre",
                "level": "district",
            }
            | unit
            | {"superior": CITY, "duty": ["demo-duty", "demo-deputy"], "leader": "demo-leader"}
            | {"targets": {"cn-informatization/report": "60m"}},
        },
        "people": {
            person: {
                "name": person,
                "unit": CITY if person == "demo-city-duty" else DISTRICT,
                "role": role,
                "channels": {"webhook": f"{webhook}/{person}"},
            }
            for person, role in OFFICERS.items()
        },
        "assets": {
            PORTAL: {
                "name": "演示区政府门户网站",
                "unit": DISTRICT,
                "role": "portal",
                "mlps_grade": 3,
                "zone": "internet",
            }
        },
        "exits": {},
    }


_PAGE = """<!doctype html>
<html lang="zh">
  <head><meta charset="utf-8"><title>演示区人民政府</title></head>
  <body><h1>演示区人民政府门户网站</h1><p>欢迎访问。</p></body>
</html>
"""
