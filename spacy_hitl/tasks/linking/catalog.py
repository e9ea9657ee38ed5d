"""The catalog that mentions are linked to: JSONL with id, name, aliases; other fields are kept."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, Tuple

from ...errors import Errors, InputError
from ...io import read_jsonl


@dataclass(frozen=True)
class CatalogEntry:
    """One thing that can be meant. `meta` holds the fields this package does not know."""

    id: str
    name: str
    aliases: Tuple[str, ...] = ()
    meta: Dict[str, Any] = field(default_factory=dict)

    @property
    def forms(self) -> Tuple[str, ...]:
        """Name and aliases, each once."""
        return tuple(dict.fromkeys((self.name, *self.aliases)))


def read_catalog(path: Path) -> Dict[str, CatalogEntry]:
    """Read a catalog.

    path (Path): JSONL, one entry per line.
    RETURNS (Dict[str, CatalogEntry]): Entries by id, in the order of the file.
    RAISES (InputError): If a line is not an entry, or an id comes twice.
    """
    entries: Dict[str, CatalogEntry] = {}
    for where, record in read_jsonl(path, what="catalog"):
        id_, name, aliases = record.get("id"), record.get("name"), record.get("aliases", [])
        named = isinstance(id_, str) and id_ and isinstance(name, str) and name
        if not named or not isinstance(aliases, list):
            raise InputError(Errors.H107.format(where=where, problem="has no id, name or aliases"))
        assert isinstance(id_, str) and isinstance(name, str)
        if id_ in entries:
            raise InputError(Errors.H107.format(where=where, problem=f"'{id_}' comes twice"))
        meta = {k: v for k, v in record.items() if k not in ("id", "name", "aliases")}
        entries[id_] = CatalogEntry(id_, name, tuple(str(a) for a in aliases), meta)
    return entries
