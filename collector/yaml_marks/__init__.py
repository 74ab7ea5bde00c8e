r"""YAML that knows where everything stands, and says every mistake at once.

PyYAML's own loading types scalars by YAML 1.1 (the region ``NO`` becomes false, ``12:30:00`` a number) and
forgets where they stood. Here a text becomes a tree of marked nodes whose scalars stay strings; what a scalar
*means* is told by the model it is decoded into. Nothing is guessed, and nothing stops at the first mistake.

>>> from collector import yaml_marks
>>> from msgspec import Struct
>>> class Unit(Struct, frozen=True, kw_only=True):
...     region: str
...     grade: int
...     dmz: bool = False
>>> yaml_marks.load("region: NO\ngrade: 3\n", "u.yaml", Unit)
Unit(region='NO', grade=3, dmz=False)
>>> try:
...     yaml_marks.load("grade: high\ndmz: yes\nregon: N\n", "u.yaml", Unit)
... except yaml_marks.Mistakes as error:
...     print(error)
u.yaml:1:1: region: found nothing, expected text
u.yaml:1:8: grade: found 'high', expected a whole number
u.yaml:2:6: dmz: found 'yes', expected true or false
u.yaml:3:1: regon: found an unknown field 'regon', expected one of dmz, grade, region (did you mean 'region'?)

What a model may be made of: ``str int float bool None``, ``Literal``, ``Enum`` (by value), ``datetime`` (ISO
8601 with offset; the offset is kept), ``date``, ``timedelta`` (``90m``, ``4h``, ``1d12h``), ``list``,
``tuple[T, ...]``, ``frozenset``, ``dict[str, T]``, optional values, ``Annotated`` with the bounds of
``msgspec.Meta``, msgspec structs (tagged unions too), dataclasses, ``Any`` (plain strings, lists and dicts),
``Node`` (the marked node itself) and every class with a class method ``parse_yaml(text: str)`` that raises
``ValueError`` saying what it expected. A ``ValueError`` of a struct's ``__post_init__`` is a mistake at that
struct.

A name with nothing after it (``facts:``) is as good as left out, but a required one is a mistake; ``None`` is
read only where the model takes it.

For checks across fields, read and decode apart and keep the tree: ``node.mistake("stages[0].id", found,
expected)`` is a mistake at the place of that path; raise ``Mistakes`` with all of them.
"""

from .decoding import decode, load, load_marked
from .nodes import Mapping, Mark, Mistake, Mistakes, Node, Scalar, Sequence
from .reading import read
from .scalars import format_duration, parse_duration, parse_time

__all__ = [
    "Mapping",
    "Mark",
    "Mistake",
    "Mistakes",
    "Node",
    "Scalar",
    "Sequence",
    "decode",
    "format_duration",
    "load",
    "load_marked",
    "parse_duration",
    "parse_time",
    "read",
]
