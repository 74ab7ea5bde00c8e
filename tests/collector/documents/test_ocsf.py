"""OCSF Incident Finding against the schema of class 2005, version 1.8.0 (closed: no other attribute)."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from collector.documents.eight_items import compose
from collector.documents.ocsf import ocsf
from collector.incident import STATES
from tests.collector.documents.conftest import clock, incident, material
from tests.collector.documents.test_eight_items import LAW, REGISTER

if TYPE_CHECKING:
    from collector.documents.material import Material

FILE = Path(__file__).parent / "ocsf-1.8.0-incident-finding.json"
SCHEMA = Draft202012Validator(json.loads(FILE.read_text()))


def test_an_incident_is_a_valid_incident_finding(known_incident: "Material") -> None:
    event = ocsf(known_incident, compose(known_incident, clock(), LAW), "zh")

    SCHEMA.validate(event)
    assert (event["class_uid"], event["type_uid"], event["severity"]) == (2005, 200501, "Medium")
    assert event["finding_info_list"][0]["related_events"] == [{"uid": "r-1"}]
    sources = event["unmapped"]["fengsui"]["sources"]
    assert {"item": 2, "of": "facts.views", "report": None, "journal": 3} in sources


@given(
    state=st.sampled_from(STATES),
    level=st.sampled_from([None, "I", "II", "III", "IV"]),
    version=st.integers(1, 3),
)
def test_every_state_and_level_has_its_place(state: str, level: str | None, version: int) -> None:
    told = material(REGISTER, incident=incident(state=state, level=level, version=version))
    event = ocsf(told, compose(told, clock(), LAW), "en")

    SCHEMA.validate(event)
    assert (event["activity_name"] == "Close") == (state == "closed")


def test_a_drill_is_labelled_and_marked() -> None:
    told = material(REGISTER, incident=incident(drill=True))
    event = ocsf(told, compose(told, clock(), LAW), "en")

    SCHEMA.validate(event)
    assert event["metadata"]["labels"] == ["drill"]
    assert event["message"].startswith("[DRILL] ")
    assert event["unmapped"]["fengsui"]["drill"] is True
