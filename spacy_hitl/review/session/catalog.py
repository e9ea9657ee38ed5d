"""Search in a catalog while somebody types: exact names, beginnings, then what looks alike."""

import threading
import unicodedata
from array import array
from bisect import bisect_left
from dataclasses import dataclass
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple

import numpy as np
import numpy.typing as npt

from ...tasks.linking.catalog import CatalogEntry

MAX_QUERY = 200  # characters
MAX_FOUND = 50
PREFIXES = 500  # forms that begin alike and are ranked
ALIKE = 0.3  # lowest share of common trigrams


@dataclass(frozen=True)
class _Grams:
    """Three-letter pieces. postings: numbers of the forms that hold a piece. sizes: pieces of each
    form.
    """

    postings: Mapping[str, npt.NDArray[np.uint32]]
    sizes: npt.NDArray[np.float64]


class CatalogIndex:
    """An index over the names, aliases and ids of a catalog. May be asked from several threads.

    entries (Mapping[str, CatalogEntry]): The catalog by id.
    """

    def __init__(self, entries: Mapping[str, CatalogEntry]) -> None:
        self._by_id = entries
        self._entries = list(entries.values())
        self._forms: List[Tuple[str, int]] = []  # folded form, number of the entry
        self._exact: Dict[str, List[int]] = {}
        words: List[Tuple[str, int]] = []
        for number, entry in enumerate(self._entries):
            for form in dict.fromkeys(fold(f) for f in (*entry.forms, entry.id)):
                self._forms.append((form, number))
                self._exact.setdefault(form, []).append(number)
                words.extend((word, number) for word in form.split()[1:])
        self._by_form = sorted(self._forms)
        self._by_word = sorted(words)
        self._grams: Optional[_Grams] = None
        self._building = threading.Lock()

    @property
    def ready(self) -> bool:
        """Whether a search for what looks alike waits for nothing."""
        return self._grams is not None

    def search(self, query: str, *, count: int, alike: bool = True) -> List[CatalogEntry]:
        """Find entries.

        query (str): What was typed, or what a mention says.
        count (int): How many at most.
        alike (bool): Whether to look for names that look alike, if there are not enough others.
        RETURNS (List[CatalogEntry]): The best first: the same name, a name that begins so, a name
            with a word that begins so, a name that looks alike.
        """
        wanted = fold(query[:MAX_QUERY])
        count = max(0, min(count, MAX_FOUND))
        if not wanted:
            return self._entries[:count]
        found: Dict[int, None] = dict.fromkeys(self._exact.get(wanted, ()))
        for ranked in (self._by_form, self._by_word):
            if len(found) < count:
                found.update(dict.fromkeys(_beginning(ranked, wanted)))
        if alike and len(found) < count:
            found.update(dict.fromkeys(self._alike(wanted, count)))
        return [self._entries[number] for number in list(found)[:count]]

    def entry(self, id_: str) -> Optional[CatalogEntry]:
        """RETURNS (Optional[CatalogEntry]): The entry with this id."""
        return self._by_id.get(id_)

    def prepare(self) -> None:
        """Build what the first search would wait for."""
        with self._building:
            if self._grams is None:
                self._grams = _build([form for form, _ in self._forms])

    def _alike(self, wanted: str, count: int) -> Iterator[int]:
        self.prepare()
        assert self._grams is not None
        pieces = _pieces(wanted)
        lists = [self._grams.postings[p] for p in pieces if p in self._grams.postings]
        if not lists:
            return
        common = np.bincount(np.concatenate(lists), minlength=len(self._forms))
        share = 2 * common / (len(pieces) + self._grams.sizes)
        best = np.argpartition(-share, min(4 * count, len(share) - 1))[: 4 * count]
        for form in sorted(best.tolist(), key=lambda i: (-share[i], i)):
            if share[form] >= ALIKE:
                yield self._forms[form][1]


def fold(form: str) -> str:
    """RETURNS (str): A name without what people leave out when they type it: case, compatibility
    forms, repeated white space.
    """
    return " ".join(unicodedata.normalize("NFKC", form).casefold().split())


def _beginning(ranked: Sequence[Tuple[str, int]], wanted: str) -> List[int]:
    """Entries with a form that begins with what is wanted, the shortest first."""
    start = bisect_left(ranked, (wanted,))
    some = ranked[start : start + PREFIXES]
    found = [(len(form), form, number) for form, number in some if form.startswith(wanted)]
    return [number for _, _, number in sorted(found)]


def _pieces(form: str) -> List[str]:
    padded = f"  {form} "
    return list(dict.fromkeys(padded[i : i + 3] for i in range(len(padded) - 2)))


def _build(forms: Iterable[str]) -> _Grams:
    postings: Dict[str, array[int]] = {}
    sizes: List[int] = []
    for number, form in enumerate(forms):
        pieces = _pieces(form)
        sizes.append(len(pieces))
        for piece in pieces:
            if piece not in postings:
                postings[piece] = array("I")
            postings[piece].append(number)
    return _Grams(
        {piece: np.frombuffer(numbers, dtype=np.uint32) for piece, numbers in postings.items()},
        np.array(sizes, dtype=np.float64),
    )


def show_entry(entry: CatalogEntry) -> Dict[str, Any]:
    """RETURNS (Dict[str, Any]): An entry for the page; its other fields describe it if need be."""
    described = entry.meta.get("description")
    if not isinstance(described, str):
        simple = ((k, v) for k, v in entry.meta.items() if isinstance(v, (str, int, float)))
        described = ", ".join(f"{k} {v}" for k, v in list(simple)[:3])
    return {
        "id": entry.id,
        "name": entry.name,
        "aliases": list(entry.aliases[:10]),
        "description": described[:300],
    }
