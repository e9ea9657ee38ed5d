"""Where things stand in a JSON value, for tests that damage it."""

from typing import Any, List, Tuple


def places(value: Any, path: Tuple[Any, ...] = ()) -> List[Tuple[Any, ...]]:
    """The path of everything in a JSON value."""
    found = [path] if path else []
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in pairs:
        nested = isinstance(inner, (dict, list))
        found += places(inner, (*path, key)) if nested else [(*path, key)]
    return found
