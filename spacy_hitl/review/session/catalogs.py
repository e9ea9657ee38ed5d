"""The catalogs of a session's linking tasks, indexed in the background."""

import threading
from typing import Any, Dict, List, Mapping, Optional, Sequence

from ...errors import Errors, InputError
from ...records import NIL, SpanAnnotation
from .catalog import CatalogIndex, show_entry
from .plan import ReviewTask
from .screens import Tokens

CANDIDATES = 9  # as many as there are digits


class Catalogs:
    """Search by task.

    plan (Mapping[str, ReviewTask]): The tasks of the session.
    """

    def __init__(self, plan: Mapping[str, ReviewTask]) -> None:
        self._tasks = {n: t for n, t in plan.items() if t.kind == "linking"}
        self._indexes: Dict[str, CatalogIndex] = {}
        self._building = threading.Lock()

    def prepare(self) -> None:
        """Build all indexes; takes seconds for tens of thousands of entries."""
        for name in self._tasks:
            self._index(name).prepare()

    def _index(self, name: str) -> CatalogIndex:
        with self._building:
            if name not in self._indexes:
                catalog = getattr(self._tasks[name].task, "catalog", {})
                self._indexes[name] = CatalogIndex(catalog)
            return self._indexes[name]

    def search(self, name: str, query: str, *, count: int) -> List[Dict[str, Any]]:
        """RETURNS (List[Dict[str, Any]]): Catalog entries for the page, the best first.
        RAISES (InputError): If there is no such task.
        """
        if name not in self._tasks:
            raise InputError(Errors.H215.format(task=name[:60], known=", ".join(self._tasks)))
        return [show_entry(e) for e in self._index(name).search(query, count=count)]

    def candidates(
        self, task: ReviewTask, spans: Sequence[SpanAnnotation], tokens: Tokens
    ) -> Dict[str, List[Dict[str, Any]]]:
        """Find what mentions may mean, as long as nobody has to wait for it.

        task (ReviewTask): A linking task.
        spans (Sequence[SpanAnnotation]): The mentions that are shown, with their proposed ids.
        tokens (Tokens): The text's tokens.
        RETURNS (Dict[str, List[Dict[str, Any]]]): Entries by "start-end" in tokens, the proposed
            one first. Nothing while the index is being built.
        """
        index: Optional[CatalogIndex] = self._indexes.get(task.name)
        if index is None:
            return {}
        found: Dict[str, List[Dict[str, Any]]] = {}
        for s in spans:
            (start, end), _ = tokens.cover(s.start, s.end)
            mention = tokens.text[s.start : s.end]
            entries = index.search(mention, count=CANDIDATES, alike=index.ready)
            proposed = None if s.kb_id in (None, NIL) else index.entry(str(s.kb_id))
            if proposed is not None:
                entries = [proposed, *(e for e in entries if e.id != proposed.id)][:CANDIDATES]
            found[f"{start}-{end}"] = [show_entry(e) for e in entries]
        return found
