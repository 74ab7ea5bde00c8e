"""Proxies as ways out."""

from tests.collector.exposure.told import HOME, told, verdicts


def test_proxies_are_ways_out() -> None:
    proxies = [
        {"name": "https_proxy", "value": "http://10.20.0.3:3128"},
        {"name": "http_proxy", "value": "10.66.0.1:8080"},
        {"name": "all_proxy", "value": "socks5://127.0.0.1"},
        {"name": "no_proxy", "value": "10.0.0.0/8"},
        {"name": "ftp_proxy", "value": "http://[fd99::1]:8080"},
        {"name": "rsync_proxy", "value": "http://[broken"},
        {"name": "proxy", "value": "http://"},
        {"name": "proxy", "value": "http://localhost"},
    ]
    assert verdicts(told([HOME], [], proxies=proxies)) == {
        "proxy/10.66.0.1:8080": "available",
        "proxy/[fd99::1]:8080": "available",
        "proxy/127.0.0.1:1080": "unknown",
        "proxy/localhost:80": "unknown",
        "proxy/10.20.0.3:3128": "sanctioned",
    }
