from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from collector.classes import read_classes
from collector.exposure import Judged
from collector.exposure.reasons import reason
from collector.stages import Item
from collector.stages.bodies import Incident
from collector.stages.correlate import CONNECTION_PLAN, LATE, detected_finding, ended_by, judged_finding
from collector.store.exits import Change
from wire.vocabulary import Verdict

if TYPE_CHECKING:
    from collector.incident import Finding
    from tests.conftest import Office

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
CLASSES = read_classes(
    (Path(__file__).parents[3] / "configs/classes.yaml").read_text("utf-8"), "classes.yaml"
)
BODY: dict[str, Any] = {
    "key": "logins:source:203.0.113.9",
    "class": "NACRED",
    "source_address": "203.0.113.9",
    "count": 400,
    "first_seen": "2026-03-02T03:00:00Z",
    "last_seen": "2026-03-02T03:59:00Z",
}
MakeItem = Callable[..., Item]


def judged(
    verdict: Verdict, key: str = "way/usb0/192.168.42.129/4", hop: str | None = "192.168.42.129"
) -> Judged:
    return Judged(
        key=key,
        verdict=verdict,
        link="usb0",
        link_kind="usb_tether",
        next_hop=hop,
        addresses=(),
        sanctioned_by=None,
        reasons=(reason("no_next_hop"),),
        evidence=({"route": "0.0.0.0/0"},),
    )


def detected(item: Item) -> "Finding":
    assert isinstance(item.body, Incident)
    return detected_finding(item, item.body, CLASSES)


def test_what_an_agent_detected_is_said_with_where_it_comes_from(
    make_item: MakeItem, office: "Office"
) -> None:
    finding = detected(make_item("incident", BODY, asset=office.registry.asset("portal")))

    assert finding.fingerprint == "n/NACRED/logins:source:203.0.113.9"
    assert (finding.unit, finding.asset, finding.node) == ("county", "portal", "n")
    assert finding.times == {"occurred": NOON - timedelta(hours=1), "detected": NOON}
    assert finding.title == "凭据攻击：203.0.113.9（县政府门户网站 web-1）"
    assert finding.title_en == "credential attack: 203.0.113.9 (portal web-1)"
    assert (finding.count, finding.evidence[0]["count"]) == (1, 400)
    assert finding.evidence[0]["report"] == "r1"


def test_a_node_without_asset_is_named_by_its_host(make_item: MakeItem) -> None:
    assert detected(make_item("incident", BODY)).title_en == "credential attack: 203.0.113.9 (web-1)"


def test_evidence_is_bounded_and_its_true_number_told(make_item: MakeItem) -> None:
    body = BODY | {"evidence": [{"n": n} for n in range(50)], "evidence_total": 900}
    (evidence,) = detected(make_item("incident", body)).evidence

    assert (len(evidence["items"]), evidence["items_total"]) == (20, 900)


def test_a_report_is_late_when_it_was_held_back_for_long(make_item: MakeItem) -> None:
    assert not detected(make_item("incident", BODY, received_at=NOON + LATE)).late
    assert detected(make_item("incident", BODY, received_at=NOON + LATE * 2)).late


@pytest.mark.parametrize("wrong", [timedelta(days=1), timedelta(days=-1), timedelta(days=365)])
def test_by_a_wrong_clock_nothing_is_late_or_early_and_the_evidence_says_how_wrong_it_was(
    make_item: MakeItem, wrong: timedelta
) -> None:
    since = {"homepage_tampered_since": (NOON - LATE + wrong).isoformat(), "note": "2026-03-02"}
    body = BODY | {"first_seen": NOON - LATE + wrong, "last_seen": NOON + wrong, "facts": since}
    item = make_item("incident", body, observed_at=NOON + wrong, ahead=wrong)
    prompt = detected(item)
    held = detected(replace(item, received_at=NOON + LATE * 2))

    assert (prompt.late, held.late) == (False, True)
    for finding in (prompt, held):
        assert finding.times == {"occurred": NOON - LATE, "detected": NOON}
        assert (finding.first_seen, finding.last_seen) == (NOON - LATE, NOON)
        assert finding.facts == since | {"homepage_tampered_since": (NOON - LATE).isoformat()}
        (evidence,) = finding.evidence
        assert evidence["observed_at"] == (NOON + wrong).isoformat()
        assert evidence["clock_ahead_seconds"] == wrong.total_seconds()


@pytest.mark.parametrize(
    ("verdict", "klass", "plan"),
    [
        ("available", "SHECONFIG", CONNECTION_PLAN),
        ("exposed_service", "SHECONFIG", CONNECTION_PLAN),
        ("used", "ROPNOUNAUTH", "illegal-external-connection"),
        ("bridging", "ROPNOUNAUTH", "illegal-external-connection"),
    ],
)
def test_a_verdict_amounts_to_a_class_and_maybe_a_plan(
    make_item: MakeItem, verdict: Verdict, klass: str, plan: str | None
) -> None:
    finding = judged_finding(make_item("exits", {"links": [], "routes": []}), judged(verdict))

    assert finding is not None
    assert (finding.klass, finding.plan_hint) == (klass, plan)
    assert finding.fingerprint == f"n/{klass}/way/usb0/192.168.42.129/4"
    assert finding.evidence[0]["reasons"][0]["code"] == "no_next_hop"


@pytest.mark.parametrize("verdict", ["sanctioned", "unknown"])
def test_what_is_sanctioned_or_unknown_amounts_to_nothing(make_item: MakeItem, verdict: Verdict) -> None:
    assert judged_finding(make_item("exits", {"links": [], "routes": []}), judged(verdict)) is None


@pytest.mark.parametrize(
    ("one", "title"),
    [
        (judged("used"), "违规外联：usb0（USB 共享网络）经 192.168.42.129（web-1）"),
        (judged("available", "way/usb0/-/4", None), "存在违规出口：usb0（USB 共享网络）（web-1）"),
        (judged("available", "way/usb0/-/6", None), "存在违规出口：usb0（USB 共享网络，IPv6）（web-1）"),
        (judged("bridging", "gateway", None), "跨网桥接：充当其他主机的网关（web-1）"),
        (judged("available", "mail/mx/gov.cn", "mx.x.com"), "存在违规出口：邮件经 mx.x.com（web-1）"),
        (judged("used", "webmail/mail.x.com", None), "违规外联：邮件经 mail.x.com（web-1）"),
        (judged("exposed_service", "service/tcp/22", None), "服务暴露：tcp/22（web-1）"),
        (judged("available", "proxy/10.1.1.1:80"), "存在违规出口：10.1.1.1:80（web-1）"),
    ],
)
def test_a_title_names_the_way_as_people_know_it(make_item: MakeItem, one: Judged, title: str) -> None:
    finding = judged_finding(make_item("exits", {"links": [], "routes": []}), one)

    assert finding is not None
    assert finding.title == title


@pytest.mark.parametrize(
    ("before", "after", "ended"),
    [
        ("available", None, "n/SHECONFIG/k"),
        ("used", None, "n/ROPNOUNAUTH/k"),
        ("available", "used", "n/SHECONFIG/k"),
        ("used", "available", "n/ROPNOUNAUTH/k"),
        ("available", "sanctioned", "n/SHECONFIG/k"),
        ("used", "bridging", None),
        ("available", "available", None),
        ("sanctioned", None, None),
        (None, "available", None),
    ],
)
def test_a_matter_ends_when_its_way_is_gone_or_something_else_by_now(
    make_item: MakeItem, before: Verdict | None, after: Verdict | None, ended: str | None
) -> None:
    change = Change(key="k", before=before, judged=judged(after, "k") if after else None)
    found = ended_by(make_item("exits", {"links": [], "routes": []}), change)

    assert (found.fingerprint if found else None) == ended
