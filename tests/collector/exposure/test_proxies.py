"""Proxies as ways out."""

import pytest

from tests.collector.exposure.told import HOME, judged, told, verdicts


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


def test_a_setting_with_a_proxy_for_each_protocol_names_all_of_them() -> None:
    proxies = [{"name": "proxyserver", "value": "http=10.66.0.1:8080;https=10.66.0.2:8443;socks=[broken"}]

    assert verdicts(told([HOME], [], proxies=proxies)) == {
        "proxy/10.66.0.1:8080": "available",
        "proxy/10.66.0.2:8443": "available",
    }


@pytest.mark.parametrize("value", ["file:///etc/proxy.pac", "data:application/x-ns-proxy-autoconfig;base64"])
def test_a_script_in_a_file_of_the_host_is_told_as_not_known(value: str) -> None:
    proxies = [{"name": "pac", "value": value, "source": "/etc/environment"}]
    (one,) = judged(told([HOME], [], proxies=proxies))

    assert (one.key, one.verdict) == ("proxy/script:/etc/environment", "unknown")
    assert [why.code for why in one.reasons] == ["local_script"]
    assert "/etc/environment" in one.reasons[0].zh
