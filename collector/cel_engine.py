"""The CEL library's compiled module alone, for every room that evaluates expressions.

Its package imports a whole terminal interface beside it (0.3 s), which a command that answers in a moment
cannot afford.
"""

import importlib.machinery
import importlib.util
import sys
from functools import cache
from types import ModuleType


@cache
def cel() -> ModuleType:
    """Return the module with `compile` and `evaluate`.

    Raises:
        ModuleNotFoundError: The server's libraries are not installed.
    """
    if (loaded := sys.modules.get("cel.cel")) is not None:
        return loaded
    package = importlib.util.find_spec("cel")
    places = package.submodule_search_locations if package is not None else None
    spec = importlib.machinery.PathFinder.find_spec("cel.cel", places) if places else None
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError("common-expression-language is not installed: install fengsui[collector]")
    module = importlib.util.module_from_spec(spec)
    sys.modules["cel.cel"] = module
    spec.loader.exec_module(module)
    return module
