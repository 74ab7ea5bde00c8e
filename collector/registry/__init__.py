'''Who is who: the register of units, people, assets, zones and sanctioned exits, read from one file.

>>> organ = "kind: local_government, region: CN-12, sector: government"
>>> registry = read_registry(f"""
... zones: {{internet: {{exits: free}}}}
... units:
...   city: {{name: 市, level: prefecture, duty: [li], {organ}}}
...   county: {{name: 县, level: district, superior: city, {organ}}}
... people:
...   li: {{name: 李, unit: city, role: 值班员, channels: {{webhook: "http://127.0.0.1:9000/"}}}}
... """, "registry.yaml")
>>> [unit.id for unit in registry.line("county")]
['county', 'city']
>>> [person.id for person in registry.persons("county", "superior")]
['li']
'''

from .nouns import (
    Address,
    Asset,
    Network,
    Person,
    Registry,
    SanctionedExit,
    Unit,
    ZonePolicy,
    case_asset,
    case_unit,
)
from .reading import read_registry

__all__ = [
    "Address",
    "Asset",
    "Network",
    "Person",
    "Registry",
    "SanctionedExit",
    "Unit",
    "ZonePolicy",
    "case_asset",
    "case_unit",
    "read_registry",
]
