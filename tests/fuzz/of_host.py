"""What files of a node say, whoever wrote them: settings, accounts, pages, the agent's own state."""

import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.budget import Budget
from agent.cli.loading import parse
from agent.clock import Clock
from agent.outbox.entry import Entry
from agent.outbox.file import OutboxError, open_or_begin_anew
from agent.outbox.ledger import Ledger
from agent.outbox.orders import OrderBook
from agent.powers import Remembered
from agent.release import proof, slots
from agent.settings import Bounds
from agent.settings.pushed import Pushed
from agent.settings.reading import SettingsError
from agent.sources import textdiff
from agent.sources.host import accounts, host
from agent.sources.network import dconf, homes, mailways, surroundings
from agent.sources.pages import hiddenlinks, manifest, scripted
from agent.sources.rounds import kept
from agent.sources.rounds.runs import Runs
from agent.sources.services import certificates
from tests.agent.actions.asking import Noted
from tests.agent.conftest import Authority
from tests.agent.sources.network import test_dconf
from tests.fuzz.hostile import Decoder, of_file, of_text
from wire.messages import Outcome

NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)
CONFIGS = Path(__file__).parents[2] / "configs"
SCRIPT = b"""<script>document.write('<p>' + "\\x41" + atob("PGRpdj4=") + unescape('%3C'));
document.write(String.fromCharCode(60));
eval(atob('bG9jYXRpb24='))</script>"""
PAGE = (
    b'<h1>News</h1><div style="position:absolute;left:-9999px"><a href="http://bet.example/">x</a></div>'
    b'<script>document.write(\'<div style="display:none"><a href="http://bet.example/">x</a></div>\');</script>'
    b"<a href='http://bet.example/'>casino</a>"
)
KEY = Ed25519PrivateKey.generate()
AUTHORITY = Authority(Path("/nowhere"))
SIGNED = manifest.sign(manifest.Manifest(1, {"index.html": ("0" * 64, 1)}), KEY)
PASSWD = b"root:x:0:0::/root:/bin/bash\nli:x:1000:1000::/home/li:/bin/sh\n"


def _kept(folder: Path) -> object:
    runs = Runs("files", Budget())
    state = kept.Kept(folder / "files.json", accounts.Known, accounts.Known, runs, lost="it begins anew")
    return state.load()


def _opened(folder: Path) -> object:
    db, why = open_or_begin_anew(folder, NOW)
    db.close()
    return why


def _clock() -> Clock:
    return Clock(now=lambda: NOW, monotonic=lambda: 1.0, boot_id="b")


def _put_back(folder: Path) -> object:
    return Remembered(Noted(), folder / "blocks.json", _clock()).restore(("block_address", "isolate_node"))


def _used(folder: Path) -> object:
    """Whatever the file holds: opened, asked for a batch, told more of a kind that it holds."""
    db, _ = open_or_begin_anew(folder, NOW)
    with closing(db):
        ledger = Ledger(db, _clock(), Bounds())
        book = OrderBook(db, _clock(), ledger)
        ledger.accept(Entry("heartbeat", "agent", NOW, {"a": 1}))
        ledger.peek()
        ledger.tidy(10**12)
        return ledger.status(), book.untold()


def _sample_outbox() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        db, _ = open_or_begin_anew(Path(folder), NOW)
        ledger = Ledger(db, _clock(), Bounds())
        ledger.accept(Entry("heartbeat", "agent", NOW, {"version": "0.1"}))
        ledger.tell_missed("a damaged file")
        outcome = Outcome(version=1, order="o1", state="done", at=NOW, detail={"size": 3})
        OrderBook(db, _clock(), ledger).conclude(outcome, [])
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.execute("PRAGMA journal_mode = DELETE")
        db.close()
        return Path(folder, "outbox.db").read_bytes()


OUTBOX = _sample_outbox()


def _script(text: str) -> object:
    return scripted.as_written(text), list(scripted.writes(text)), list(scripted.encoded(text))


def _accounts(text: str) -> object:
    found = accounts.read_accounts(text, text)
    known = accounts.Known(True, found, accounts.read_members(text), {"/etc/sudoers": text})
    return list(accounts.changes(accounts.Known(True), known)), list(
        accounts.changes(known, accounts.Known(True))
    )


def _settings(text: str) -> object:
    return parse(text, "agent.yaml")


def _proxies(root: Path) -> object:
    return surroundings.proxies(root, {})


def _homes(name: str) -> Callable[[bytes], object]:
    def look(root: Path) -> object:
        (root / "etc").mkdir(exist_ok=True)
        (root / "etc/passwd").write_bytes(PASSWD)
        return homes.Homes(root).proxies()

    return of_file(f"home/li/{name}", look)


SURROUNDINGS, HOMES = "agent/sources/network/surroundings.py", "agent/sources/network/homes.py"
DECODERS = (
    Decoder(
        "resolv.conf",
        SURROUNDINGS,
        of_file("etc/resolv.conf", surroundings.resolvers),
        (),
        (b"# x\nnameserver 10.0.0.53\nsearch example\n",),
        (b"nameserver 1\n", b"nameserver x%d\n"),
    ),
    Decoder(
        "proxy in the environment's files",
        SURROUNDINGS,
        of_file("etc/environment", _proxies),
        (),
        (b'export http_proxy="http://user:secret@10.0.0.9:3128"\n',),
        (b"export ", b"a_proxy=", b"_proxy"),
    ),
    Decoder(
        "proxy of apt",
        SURROUNDINGS,
        of_file("etc/apt/apt.conf", _proxies),
        (),
        (b'Acquire::http::Proxy "http://10.0.0.9:3128";\n',),
        (b"Acquire::", b'Acquire::a::Proxy "'),
    ),
    Decoder(
        "proxy of dnf",
        SURROUNDINGS,
        of_file("etc/dnf/dnf.conf", _proxies),
        (),
        (b"[main]\nproxy=http://10.0.0.9\n",),
        (b"proxy ",),
    ),
    Decoder(
        "proxy scripts (PAC)",
        SURROUNDINGS,
        of_file("etc/firefox/policies/policies.json", _proxies),
        (),
        (b'{"policies":{"Proxy":{"AutoConfigURL":"http://wpad/x.pac","HTTPProxy":"10.0.0.9:1"}}}',),
        (b"AutoConfigURL", b'"ProxyServer"', b"AutoConfigURL : "),
    ),
    Decoder(
        "proxies of shells",
        HOMES,
        _homes(".profile"),
        (),
        (b"export https_proxy=http://10.0.0.9:3128\n",),
        (b"export ", b"a_proxy", b"_", b"set -gx "),
    ),
    Decoder(
        "proxies of KDE",
        HOMES,
        _homes(".config/kioslaverc"),
        (),
        (b"ProxyType=1\nhttpProxy=http://10.0.0.9 3128\n",),
        (b"httpProxy=", b"ProxyType="),
    ),
    Decoder(
        "proxies of Firefox",
        HOMES,
        _homes(".mozilla/firefox/x/prefs.js"),
        (),
        (b'user_pref("network.proxy.type", 1);\nuser_pref("network.proxy.http", "10.0.0.9");\n',),
        (b'user_pref("network.proxy.a",', b'user_pref("network.proxy.'),
    ),
    Decoder(
        "proxies of Chromium",
        HOMES,
        _homes(".config/chromium/Default/Preferences"),
        (),
        (b'{"proxy":{"mode":"fixed_servers","server":"10.0.0.9:1"}}',),
        (b'"proxy":{', b'"mode":"'),
    ),
    Decoder(
        "proxies of GNOME (GVDB)",
        "agent/sources/network/dconf.py",
        lambda data: dconf.told(dconf.proxy(data)),
        (dconf.DconfError,),
        (test_dconf.DATABASE,),
    ),
    Decoder(
        "relays of mail servers",
        "agent/sources/network/mailways.py",
        of_file("etc/postfix/main.cf", mailways.relays),
        (),
        (b"relayhost = [mx.example.net]:587\n",),
        (b"relayhost = ", b"relayhost"),
    ),
    Decoder(
        "os-release",
        "agent/sources/host/host.py",
        of_file("etc/os-release", host.os_release),
        (),
        (b'ID=kylin\nNAME="Kylin"\nVERSION_ID="V10"\n',),
        (b"A=", b"A", b'A="'),
    ),
    Decoder(
        "/proc/cpuinfo",
        "agent/sources/host/host.py",
        of_file("proc/cpuinfo", host.hardware),
        (),
        (b"processor : 0\nmodel name\t: Phytium FT-2000\n",),
        (b"model name",),
    ),
    Decoder(
        "passwd, shadow, group, sudoers",
        "agent/sources/host/accounts.py",
        of_text(_accounts),
        (),
        (PASSWD, b"sudo:x:27:li,wang\n", b"li ALL=(ALL) ALL\n#include /etc/x\n"),
        (b"a:", b"a:x:0:0:::\n", b"#include "),
    ),
    Decoder(
        "script of a page",
        "agent/sources/pages/scripted.py",
        of_text(_script),
        (),
        (SCRIPT,),
        (
            b"<script>",
            b"document.write(",
            b"atob(",
            b'"',
            b"'",
            b"\\",
            b'\\"',
            b"+",
            b"String.fromCharCode(",
            b"1,",
        ),
    ),
    Decoder(
        "page",
        "agent/sources/pages/hiddenlinks.py",
        lambda data: hiddenlinks.hidden_links(textdiff.decoded(data)),
        (),
        (PAGE,),
        (
            b"<",
            b"<!--",
            b"<![",
            b"<!",
            b"<?",
            b"</",
            b"<a href=",
            b'<a b="',
            b"<div>",
            b"<script>",
            b"&#",
            b"document.write(",
            b"document . write ( ",
            b"left:",
            b"left : ",
            b"http://",
            b"baiduspider navigator.userAgent location=",
            b"casino",
        ),
    ),
    Decoder(
        "what differs in a page",
        "agent/sources/textdiff.py",
        lambda data: textdiff.difference(data[::-1], data),
        (),
        (PAGE,),
    ),
    Decoder(
        "certificate file",
        "agent/sources/services/certificates.py",
        of_file("x.pem", lambda root: certificates.of_file(root / "x.pem")),
        (ValueError,),
        (AUTHORITY.pem().encode(),),
        (b"-----BEGIN CERTIFICATE-----\n", b"-----END CERTIFICATE-----"),
    ),
    Decoder(
        "baseline manifest",
        "agent/sources/pages/manifest.py",
        lambda data: manifest.verify(data, manifest.public_text(KEY)),
        (manifest.ManifestError,),
        (SIGNED,),
    ),
    Decoder(
        "settings of the agent",
        "agent/settings/reading.py",
        of_text(_settings),
        (SettingsError,),
        ((CONFIGS / "agent.yaml").read_bytes(), b"heartbeat_seconds: 10\nmetrics: {listen: '0.0.0.0:1'}\n"),
        (b"a: 1\n", b"&a ", b"? ", b"heartbeat_seconds: 1\n"),
    ),
    Decoder(
        "settings that were pushed",
        "agent/settings/pushed.py",
        of_file("pushed.json", lambda root: Pushed(root).read()),
        (),
        (msgspec.json.encode({"version": 3, "settings": {"heartbeat_seconds": 10}, "state": "kept"}),),
    ),
    Decoder(
        "what a source keeps",
        "agent/sources/rounds/kept.py",
        of_file("files.json", _kept),
        (),
        (msgspec.json.encode({"version": 1, "kept": accounts.Known(True, {}, {"sudo": ["li"]}, {})}),),
    ),
    Decoder("outbox", "agent/outbox/file.py", of_file("outbox.db", _opened), (OutboxError,), (OUTBOX,)),
    Decoder(
        "outbox: what it holds",
        "agent/outbox/ledger.py",
        of_file("outbox.db", _used),
        (OutboxError, sqlite3.Error),
        (OUTBOX,),
    ),
    Decoder(
        "proof of a release",
        "agent/release/proof.py",
        of_file("answered.json", lambda root: proof.Proof(root).read()),
        (),
        (b'{"version":"1.0","installed":"x"}',),
    ),
    Decoder(
        "blocks that stand",
        "agent/powers/remembered.py",
        of_file("blocks.json", _put_back),
        (),
        (
            b'{"boot":"b","monotonic":1,"wall":1,"held":[{"address":"192.0.2.9","left":9},{"address":"","left":9,"due":true}]}',
        ),
    ),
    Decoder(
        "standing of an update",
        "agent/release/proof.py",
        of_file("update.json", proof.read_standing),
        (),
        (b'{"state":"trial","version":"1.0","at":"2026-03-02T01:10:00Z"}',),
    ),
    Decoder(
        "release in a slot",
        "agent/release/slots.py",
        of_file("RELEASE.json", slots.release_in),
        (),
        (b'{"version":"1.0","installed":"x"}',),
    ),
)
