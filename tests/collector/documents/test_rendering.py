"""Documents within their bounds."""

from typing import TYPE_CHECKING

import msgspec
import pytest

from collector.documents.eight_items import compose
from collector.documents.rendering import MEDIA, Renderer, RenderingError
from tests.collector.documents.conftest import clock
from tests.collector.documents.test_eight_items import LAW

if TYPE_CHECKING:
    from pathlib import Path

    from collector.documents.material import Material


@pytest.mark.parametrize("kind", MEDIA)
async def test_the_same_incident_renders_to_the_same_bytes(known_incident: "Material", kind: str) -> None:
    renderer, said = Renderer(str), compose(known_incident, clock(), LAW)
    first = await renderer.render(kind, known_incident, clock(), said, "zh")
    again = await renderer.render(kind, known_incident, clock(), compose(known_incident, clock(), LAW), "zh")

    assert first == again
    if MEDIA[kind] == "application/json":
        assert msgspec.json.decode(first)


async def test_a_units_own_template_is_used_and_its_mistake_is_told(
    known_incident: "Material", tmp_path: "Path"
) -> None:
    (tmp_path / "report.typ").write_text("#nonsense()")
    said = compose(known_incident, clock(), LAW)
    with pytest.raises(RenderingError, match=r"report\.typ.*nonsense"):
        await Renderer(lambda: str(tmp_path)).render("pdf", known_incident, clock(), said, "zh")


async def test_a_document_that_takes_too_long_is_given_up(known_incident: "Material") -> None:
    said = compose(known_incident, clock(), LAW)
    with pytest.raises(RenderingError, match=r"took more than 0\.05 seconds"):
        await Renderer(str, seconds=0.05).render("pdf", known_incident, clock(), said, "zh")
