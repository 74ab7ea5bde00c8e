"""JSON IODEF against the schema of RFC 8727 itself, its appendix B."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft4Validator

from collector.documents.eight_items import compose
from collector.documents.iodef import iodef
from collector.incident import STATES
from tests.collector.documents.conftest import clock, incident, material
from tests.collector.documents.test_eight_items import LAW, REGISTER

if TYPE_CHECKING:
    from collector.documents.material import Material

# Where it is from, and what was mended in it, says its first entry.
SCHEMA = Draft4Validator(json.loads((Path(__file__).parent / "iodef-schema.json").read_text("utf-8")))


def test_the_schema_takes_the_rfcs_minimal_example() -> None:
    SCHEMA.validate(
        {
            "version": "2.0",
            "lang": "en",
            "Incident": [
                {
                    "purpose": "reporting",
                    "restriction": "private",
                    "IncidentID": {"id": "492382", "name": "csirt.example.com"},
                    "GenerationTime": "2015-07-18T09:00:00-05:00",
                    "Contact": [
                        {
                            "type": "organization",
                            "role": "creator",
                            "Email": [{"EmailTo": "contact@csirt.example.com"}],
                        }
                    ],
                }
            ],
        }
    )


@pytest.mark.parametrize("wrong", ["without its purpose", "with a name the RFC does not have", "flat impact"])
def test_the_schema_refuses_what_the_rfc_does_not_say(known_incident: "Material", wrong: str) -> None:
    document = iodef(known_incident, compose(known_incident, clock(), LAW), "zh")
    (told,) = document["Incident"]
    if wrong == "without its purpose":
        del told["purpose"]
    elif wrong == "flat impact":
        told["Assessment"][0]["SystemImpact"] = told["Assessment"][0].pop("Impact")
    else:
        told["Level"] = "II"

    assert not SCHEMA.is_valid(document)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_report_is_valid_iodef_in_both_languages(known_incident: "Material", language: str) -> None:
    document = iodef(known_incident, compose(known_incident, clock(), LAW), language)

    SCHEMA.validate(document)
    (told,) = document["Incident"]
    assert told["DetectTime"] == "2026-03-02T09:00:00+08:00"
    assert told["EventData"][0]["System"][0]["Node"]["Address"] == [
        {"value": "203.0.113.9", "category": "ipv4-addr"}
    ]
    assert told["EventData"][0]["Description"] == ["县政府门户网站"]
    sources = next(each for each in told["AdditionalData"] if each["name"] == "fengsui.sources")
    assert "facts.homepage_tampered_since node:node-1 r-1 1" in sources["value"]


@given(
    state=st.sampled_from(STATES),
    level=st.sampled_from([None, "I", "II", "III", "IV"]),
    loss=st.none() | st.booleans() | st.integers(-5, 10) | st.text(max_size=5),
    address=st.none() | st.text(max_size=10) | st.ip_addresses().map(str),
    place=st.sampled_from([("county", None), ("county", "portal"), ("gone", "portal"), ("gone", "gone")]),
)
def test_whatever_happened_it_stays_valid(
    state: str, level: str | None, loss: object, address: str | None, place: tuple[str, str | None]
) -> None:
    unit, asset = place
    evidence = [{"report": "r", "source_address": address}]
    row = incident(
        state=state,
        level=level,
        unit=unit,
        asset=asset,
        evidence=evidence,
        facts={"loss_yuan": loss},
        times={},
    )
    told = material(REGISTER, incident=row, journal=(), contact=None)

    SCHEMA.validate(iodef(told, compose(told, clock(), LAW), "zh"))


def test_a_drill_says_that_it_is_none_in_words_and_for_machines() -> None:
    told = material(REGISTER, incident=incident(drill=True))
    document = iodef(told, compose(told, clock(), LAW), "zh")
    (one,) = document["Incident"]

    SCHEMA.validate(document)
    assert (one["purpose"], one["ext-purpose"]) == ("ext-value", "drill")
    assert one["Description"][0].startswith("【演练】")
    assert {"name": "fengsui.drill", "dtype": "string", "value": "true"} in one["AdditionalData"]
