"""Hosts made of network namespaces: an agent's host, its collector, and a stranger's network beside it.

    collector 10.99.0.1 ──veth── 10.99.0.2 host 198.18.0.2/16 ──veth── 198.18.0.1 stranger
                                      ├── br0 198.19.0.2/16 ──veth── 198.19.0.1 stranger
                                      └── tun links, made as needed; routers that the stranger announces

The host's default route goes over the collector's side, which the register sanctions; every other way out is
not. Only namespaces made here are touched, and all of them go when the landscape is left.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

import yaml

Found = TypeVar("Found")
End = tuple[str, str, str]  # namespace, link, address
BIN = Path(sys.executable).parent
SANCTIONED, STRANGER = "10.99.0.1", "198.18.0.1"


def command(*words: str) -> str:
    """Run a command to its end and return what it printed."""
    return subprocess.run(words, check=True, capture_output=True, text=True, timeout=30).stdout


def eventually(look: Callable[[], Found], *, within: float, every: float = 0.005) -> Found:
    """Return the first true answer; AssertionError after `within` seconds."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(every)
    raise AssertionError(f"not seen within {within} s")


HOLDER = """
import fcntl, signal, struct, sys
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
held = [open("/dev/net/tun", "r+b", buffering=0) for _ in sys.argv[1:]]
for file, name in zip(held, sys.argv[1:]):
    fcntl.ioctl(file, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TUN | IFF_NO_PI))
print("held", flush=True)
signal.pause()
"""


ANNOUNCER = """
import sys
from scapy.layers.inet6 import ICMPv6ND_RA, ICMPv6NDOptSrcLLAddr, IPv6
from scapy.layers.l2 import Ether
from scapy.config import conf
wire = conf.L2socket(iface="eth0")
print("ready", flush=True)
for line in sys.stdin:
    number = int(line)
    mac = f"02:00:00:00:{number // 256:02x}:{number % 256:02x}"
    router = IPv6(src=f"fe80::a:{number:x}", dst="ff02::1", hlim=255)
    announcement = ICMPv6ND_RA(routerlifetime=1800) / ICMPv6NDOptSrcLLAddr(lladdr=mac)
    wire.send(Ether(src=mac, dst="33:33:00:00:00:01") / router / announcement)
    print("sent", flush=True)
"""


class Landscape:
    """Three namespaces and the two programs in them; a context manager.

    Args:
        folder: Where everything is written.
        sources: Settings of the agent's sources, where they are not the default.
    """

    def __init__(self, folder: Path, sources: dict[str, Any] | None = None, *, encoded: bool = False) -> None:
        """Take a folder for everything; `encoded`: the agent is the one of `encoded.py`."""
        self.folder = folder
        self._encoded = encoded
        self._sources = sources or {}
        tag = f"fs{os.getpid() % 100000}"
        self.collector, self.host, self.stranger = f"{tag}c", f"{tag}h", f"{tag}s"
        self._children: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        """Make the namespaces, start a collector and an agent, and wait for the first picture of exits."""
        try:
            self._wire()
            self._write()
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """End what was started, the agent before its collector, and remove the namespaces."""
        for child in reversed(self._children):
            child.terminate()
            for pipe in (child.stdin, child.stdout):
                if pipe:
                    pipe.close()
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        for name in (self.host, self.stranger, self.collector):
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True, timeout=30)

    @property
    def database(self) -> Path:
        """The collector's state database."""
        return self.folder / "collector" / "state.db"

    @property
    def agent_pid(self) -> int:
        """The agent's process id: `ip netns exec` becomes the command it is given."""
        return self._children[-1].pid

    def ip(self, *words: str) -> str:
        """Run `ip` on the agent's host."""
        return command("ip", "-n", self.host, *words)

    def hold_tuns(self, names: Sequence[str]) -> None:
        """Open tun links on the agent's host and hold them as a VPN's process does: they have a carrier."""
        words = ["ip", "netns", "exec", self.host, sys.executable, "-c", HOLDER, *names]
        child = subprocess.Popen(words, stdout=subprocess.PIPE)
        self._children.insert(0, child)
        assert child.stdout is not None
        with child.stdout as said:
            assert said.readline() == b"held\n"

    def announcer(self) -> Callable[[int], str]:
        """Return what lets a router of that number announce itself to the host, and gives its address.

        It returns when the announcement was sent.
        """
        words = ["ip", "netns", "exec", self.stranger, sys.executable, "-c", ANNOUNCER]
        child = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._children.insert(0, child)
        assert child.stdin is not None
        assert child.stdout is not None
        said, heard = child.stdin, child.stdout
        assert heard.readline() == b"ready\n"

        def announce(number: int) -> str:
            said.write(b"%d\n" % number)
            said.flush()
            assert heard.readline() == b"sent\n"
            return f"fe80::a:{number:x}"

        return announce

    def _wire(self) -> None:
        for name in (self.collector, self.host, self.stranger):
            command("ip", "netns", "add", name)
            command("ip", "-n", name, "link", "set", "lo", "up")
        self._connect((self.host, "eth0", "10.99.0.2/24"), (self.collector, "eth0", f"{SANCTIONED}/24"))
        self._connect((self.host, "eth1", "198.18.0.2/16"), (self.stranger, "eth0", f"{STRANGER}/16"))
        self.ip("link", "add", "br0", "type", "bridge", "forward_delay", "0")
        self._connect((self.host, "eth2", ""), (self.stranger, "eth1", "198.19.0.1/16"))
        self.ip("link", "set", "eth2", "master", "br0")
        self.ip("address", "add", "198.19.0.2/16", "dev", "br0")
        self.ip("link", "set", "br0", "up")
        self.ip("route", "add", "default", "via", SANCTIONED, "dev", "eth0")

    def _connect(self, near: End, far: End) -> None:
        command(
            "ip",
            "-n",
            near[0],
            "link",
            "add",
            near[1],
            "type",
            "veth",
            "peer",
            "name",
            far[1],
            "netns",
            far[0],
        )
        for namespace, link, address in (near, far):
            if address:
                command("ip", "-n", namespace, "address", "add", address, "dev", link)
            command("ip", "-n", namespace, "link", "set", link, "up")

    def _write(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        agent = AGENT | {"state_dir": str(self.folder / "agent"), "sources": self._sources}
        for name, content in (("registry", REGISTRY), ("collector", COLLECTOR), ("agent", agent)):
            (self.folder / f"{name}.yaml").write_text(yaml.safe_dump(content, allow_unicode=True))

    def _start(self) -> None:
        self._spawn(self.collector, "fengsui-collector", "run", "--config", self._file("collector"))
        eventually((self.folder / "collector" / "ports.json").exists, within=30)
        said = self._ask(
            self.collector,
            "fengsui-collector",
            "token",
            "create",
            "--unit",
            "u",
            "--json",
            "--config",
            self._file("collector"),
        )
        token = json.loads(said)["token"]
        self._ask(
            self.host,
            "fengsui-agent",
            "enrol",
            "--collector",
            f"https://{SANCTIONED}:8443",
            "--token",
            token,
            "--config",
            self._file("agent"),
        )
        script = (str(BIN / "fengsui-agent"),)
        if self._encoded:
            script = (sys.executable, str(Path(__file__).with_name("encoded.py")), str(self.folder))
        self._launch(self.host, "fengsui-agent", (*script, "run", "--config", self._file("agent")))

    def _file(self, name: str) -> str:
        return str(self.folder / f"{name}.yaml")

    def _argv(self, namespace: str, script: str, words: Sequence[str]) -> list[str]:
        return ["ip", "netns", "exec", namespace, str(BIN / script), *words]

    def _spawn(self, namespace: str, script: str, *words: str) -> None:
        self._launch(namespace, script, (str(BIN / script), *words))

    def _launch(self, namespace: str, name: str, words: Sequence[str]) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            argv = ["ip", "netns", "exec", namespace, *words]
            self._children.append(subprocess.Popen(argv, stdout=log, stderr=log))

    def _ask(self, namespace: str, script: str, *words: str) -> str:
        done = subprocess.run(
            self._argv(namespace, script, words), capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


_UNIT = {
    "name": "测试单位",
    "name_en": "Test unit",
    "kind": "local_government",
    "level": "district",
    "region": "CN-12",
}
REGISTRY: dict[str, Any] = {
    "zones": {
        "intranet": {"exits": "none"},
        "extranet": {"exits": "sanctioned", "networks": ["10.99.0.0/24"]},
        "private": {"exits": "sanctioned"},
        "internet": {"exits": "sanctioned"},
    },
    "units": {"u": _UNIT | {"sector": "government", "timezone": "Asia/Shanghai", "duty": ["p"]}},
    "people": {"p": {"name": "p", "unit": "u", "role": "值班员"}},
    "assets": {
        "a": {"name": "测试系统", "unit": "u", "role": "business_system", "mlps_grade": 3, "zone": "extranet"}
    },
    "exits": {
        "registered": {
            "name": "统一出口",
            "unit": "u",
            "zones": ["extranet"],
            "next_hops": [f"{SANCTIONED}/32"],
        }
    },
}
COLLECTOR: dict[str, Any] = {
    "unit": "u",
    "registry": "registry.yaml",
    "state_dir": "collector",
    "listen": {
        "agents": {"host": SANCTIONED, "port": 8443, "names": [SANCTIONED]},
        "console": {"host": "127.0.0.1", "port": 0},
    },
}
AGENT: dict[str, Any] = {
    "state_dir": "agent",
    "unit": "u",
    "assets": [{"id": "a", "name": "测试系统", "mlps_grade": 3}],
}
