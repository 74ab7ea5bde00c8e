"""A warning from above, as plans see it (pure): conditions and texts name it `warning`."""

from typing import Annotated

from msgspec import Meta, Struct

from .model import ClassCode, WarningColour

_Line = Annotated[str, Meta(min_length=1, max_length=500)]


class Warned(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"klass": "class"}):
    """What is warned of.

    Fields:
        id: The warning's own, so that the same one twice begins one run.
        klass: GB/T 20986 class of what it warns of.
    """

    id: Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f/]+$")]
    colour: WarningColour
    klass: ClassCode
    title: _Line
    title_en: str = ""
