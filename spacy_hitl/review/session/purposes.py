"""What a session is for: to review, to settle where people differ, to compare two prompts.

Each says which texts there are, when one is done, and which versions a screen shows side by side.
"""

from dataclasses import dataclass, field
from typing import Dict, List, Mapping, Optional, Protocol, Set, Tuple

from ...dataset.decisions import live_decisions
from ...dataset.reviews import preferences, proposals_by_text
from ...records import ADJUDICATION, GOLD, IMPORT, Annotation, Preference, QueueText
from ..people.adjudication import disputed, own_versions
from ..queue.doubts import Doubts
from ..queue.loading import Loaded, Sources, load_queue_texts, read_text
from .compare import ComparedTask, version_name


@dataclass(frozen=True)
class Version:
    """One of two versions of a text. annotator: whose it is, if that may be known."""

    who: str
    annotator: Optional[str]
    annotations: Dict[str, Annotation]


class Purpose(Protocol):
    """What a session is for."""

    kind: str

    def load(self, known: Sources) -> Loaded:
        """RETURNS (Loaded): The texts of the session."""
        ...

    def read(self, known: Sources, base: QueueText) -> QueueText:
        """RETURNS (QueueText): What the queue must know of one text now."""
        ...

    def versions(self, known: Sources, digest: str) -> Tuple[Version, ...]:
        """RETURNS (Tuple[Version, ...]): Two versions, or none."""
        ...


@dataclass(frozen=True)
class Reviewing:
    """Decide on what was proposed, and again on what was decided and is in doubt."""

    doubts: Doubts = field(default_factory=Doubts)

    kind = "text"

    def load(self, known: Sources) -> Loaded:
        """All texts."""
        loaded = load_queue_texts(known)
        self.doubts.check(known.dataset)
        loaded.texts = [self.doubts.mark(known, text) for text in loaded.texts]
        return loaded

    def read(self, known: Sources, base: QueueText) -> QueueText:
        """Done by who decided all tasks, if it is not in doubt."""
        return self.doubts.mark(known, read_text(known, base))

    def versions(self, known: Sources, digest: str) -> Tuple[Version, ...]:
        """None: there is one proposal."""
        return ()


class Adjudicating:
    """Settle texts that two people decided differently."""

    kind = "adjudicate"

    def load(self, known: Sources) -> Loaded:
        """Texts that are disputed, and those that were and are settled."""
        loaded = load_queue_texts(known)
        people: Dict[str, Set[str]] = {}
        settled = set()
        for head in loaded.heads:
            if head.origin != IMPORT:
                people.setdefault(head.digest, set()).add(head.annotator)
            if head.mode == ADJUDICATION:
                settled.add(head.digest)
        several = {d for d, names in people.items() if len(names) > 1} | settled
        found = []
        for text in loaded.texts:
            if text.digest in several:
                now = self.read(known, text)
                if now.decided_by or _is_disputed(known, text.digest):
                    found.append(now)
        loaded.texts = found
        return loaded

    def read(self, known: Sources, base: QueueText) -> QueueText:
        """Done by whoever adjudicated, if that stands."""
        now = read_text(known, base)
        settled = {
            d.annotator
            for name in known.plan
            for d in live_decisions(known.dataset.decisions(name, base.digest))
            if d.mode == ADJUDICATION and d.annotator in now.decided_by
        }
        return now._replace(decided_by=frozenset(settled), skipped_by=now.skipped_by)

    def versions(self, known: Sources, digest: str) -> Tuple[Version, ...]:
        """What the two people decided."""
        # Also of a settled text that is opened again: without what settled it.
        made = {
            name: [d for d in known.dataset.decisions(name, digest) if d.mode != ADJUDICATION]
            for name in known.plan
        }
        pair = disputed(made, known.histories)
        if pair is None:
            return ()
        own = {name: own_versions(some, known.histories[name]) for name, some in made.items()}
        return tuple(
            Version(who, person, {name: v[person] for name, v in own.items() if person in v})
            for who, person in zip("AB", pair, strict=True)
        )


@dataclass
class Comparing:
    """Prefer one of two versions of a prompt, where they differ.

    tasks: what is compared. chosen: by text and annotator, the tasks they chose for. differing: by
    text, the tasks in which the versions differ.
    """

    tasks: Mapping[str, ComparedTask]
    chosen: Dict[str, Dict[str, Set[str]]] = field(default_factory=dict)
    differing: Dict[str, List[str]] = field(default_factory=dict)

    kind = "compare"

    def load(self, known: Sources) -> Loaded:
        """Texts for which the two versions propose different things; never gold."""
        lanes = dict(known.dataset.db.rows("SELECT digest, lane FROM texts ORDER BY rowid"))
        for name, task in self.tasks.items():
            first = proposals_by_text(known.dataset, name, task.first)
            for digest, other in proposals_by_text(known.dataset, name, task.second).items():
                if lanes[digest] != GOLD and digest in first and first[digest] != other:
                    self.differing.setdefault(digest, []).append(name)
        for preference in preferences(known.dataset):
            self.remember(preference)
        texts = [
            self.read(known, QueueText(digest, lane))
            for digest, lane in lanes.items()
            if digest in self.differing
        ]
        return Loaded(texts=texts)

    def remember(self, preference: Preference) -> None:
        """Count a preference, if it is between these two versions."""
        task = self.tasks.get(preference.task)
        if task is None:
            return
        names = {version_name(task.first), version_name(task.second)}
        if {preference.first, preference.second} == names:
            people = self.chosen.setdefault(preference.text_digest, {})
            people.setdefault(preference.annotator, set()).add(preference.task)

    def read(self, known: Sources, base: QueueText) -> QueueText:
        """Done by who chose for all tasks that differ."""
        wanted = set(self.differing.get(base.digest, ()))
        people = self.chosen.get(base.digest, {})
        done = frozenset(name for name, tasks in people.items() if tasks >= wanted)
        return base._replace(decided_by=done)

    def versions(self, known: Sources, digest: str) -> Tuple[Version, ...]:
        """What the two versions propose, the session's own first."""
        return tuple(
            Version(
                who,
                None,
                {
                    name: p.annotation
                    for name, task in self.tasks.items()
                    if name in self.differing.get(digest, ())
                    for p in known.dataset.proposals(name, digest)
                    if (p.source, p.sample, p.task_digest) == key_of(task)
                },
            )
            for who, key_of in (("A", _first), ("B", _second))
        )


def _first(task: ComparedTask) -> Tuple[str, int, str]:
    return task.first


def _second(task: ComparedTask) -> Tuple[str, int, str]:
    return task.second


def _is_disputed(known: Sources, digest: str) -> bool:
    made = {name: known.dataset.decisions(name, digest) for name in known.plan}
    return disputed(made, known.histories) is not None
