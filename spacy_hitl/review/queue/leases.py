"""Who has which text before them. Kept in the dataset too, so that a restart honours it."""

from dataclasses import dataclass
from typing import Callable, Dict, Iterable, List, Optional, Set

from ...dataset.reviews import drop_expired, drop_lease, leases, set_leases
from ...dataset.store import Dataset

SILENT = 120.0  # seconds; a tab that is not heard of for so long may be gone


@dataclass
class Lease:
    """One person's hold on one text.

    tab: the browser tab it is in; None if that is not known (any more). heard: when that tab was
    last heard of, in seconds since the epoch.
    """

    expires: float
    tab: Optional[str]
    heard: float = 0.0


class Leases:
    """All leases of a session.

    dataset (Dataset): Open for writing.
    minutes (float): How long a lease holds if the page is not heard of.
    now (Callable[[], float]): Seconds since the epoch.
    """

    def __init__(self, dataset: Dataset, *, minutes: float, now: Callable[[], float]) -> None:
        self._dataset = dataset
        self._seconds = minutes * 60
        self._now = now
        self._held: Dict[str, Dict[str, Lease]] = {}
        drop_expired(dataset, now())
        for digest, annotator, expires in leases(dataset, now()):
            # A clock that was ahead must not lock a text for longer than a lease lasts.
            expires = min(expires, now() + self._seconds)
            self._held.setdefault(digest, {})[annotator] = Lease(expires, None)

    def others(self, annotator: str) -> Dict[str, int]:
        """RETURNS (Dict[str, int]): By text, how many other people have it before them."""
        self._expire()
        counts = {d: len(held) - (annotator in held) for d, held in self._held.items()}
        return {digest: n for digest, n in counts.items() if n}

    def mine(self, annotator: str, *, tab: str) -> Set[str]:
        """RETURNS (Set[str]): The texts an annotator has in other tabs than this."""
        return {
            digest
            for digest, held in self._held.items()
            if annotator in held and held[annotator].tab not in (None, tab)
        }

    def adrift(self, annotator: str) -> Set[str]:
        """RETURNS (Set[str]): The texts an annotator has in a tab that is not known: it was open
        before a restart, was closed, or has been silent for minutes.
        """
        silent = self._now() - SILENT
        return {
            digest
            for digest, held in self._held.items()
            if annotator in held
            and (held[annotator].tab is None or not silent < held[annotator].heard <= self._now())
        }

    def close_tabs(self, annotator: str, tabs: Iterable[str]) -> None:
        """Forget which texts are in some tabs: they are closed."""
        closed = set(tabs)
        for held in self._held.values():
            if annotator in held and held[annotator].tab in closed:
                held[annotator].tab = None

    def take(self, annotator: str, digests: Iterable[str], *, tab: str) -> float:
        """Take leases, or renew them.

        annotator (str): Who.
        digests (Iterable[str]): Texts.
        tab (str): The browser tab that shows them.
        RETURNS (float): When they expire, in seconds since the epoch.
        """
        expires = self._now() + self._seconds
        stored: List[str] = []
        for digest in digests:
            held = self._held.setdefault(digest, {})
            known = held.get(annotator)
            # A renewal is written when half of the time is over, not at every request.
            if known is None or known.expires - self._now() < self._seconds / 2:
                stored.append(digest)
                held[annotator] = Lease(expires, tab, self._now())
            else:
                known.tab, known.heard = tab, self._now()
        if stored:
            set_leases(self._dataset, annotator, stored, expires=expires)
        return expires

    def drop(self, annotator: str, digest: str) -> None:
        """Give a lease back, inside the transaction that stores what came of it."""
        if annotator in self._held.get(digest, {}):
            drop_lease(self._dataset, annotator, digest)

    def forget(self, annotator: str, digest: str) -> None:
        """Forget a lease that was given back, once that is stored."""
        held = self._held.get(digest, {})
        held.pop(annotator, None)
        if not held:
            self._held.pop(digest, None)

    def _expire(self) -> None:
        now = self._now()
        for digest, held in list(self._held.items()):
            for annotator in [a for a, lease in held.items() if lease.expires <= now]:
                del held[annotator]
            if not held:
                del self._held[digest]
