"""Look again, blind, at a random sample of what was accepted unseen.

The texts of a task that were accepted in bulk are put in an order drawn from a salted hash of their
digest; the first ones are the sample. Each part of it is a random sample too: a session may end at
any text, and a larger one later goes on where it ended.
"""

import hashlib
from dataclasses import dataclass
from typing import Tuple

from ...dataset.basis import accepted_unseen, audit_of
from ...errors import Errors, InputError
from ...records import BULK, QueueText
from ..queue.loading import Loaded, Sources, load_queue_texts, read_text
from .purposes import Version


@dataclass(frozen=True)
class Auditing:
    """Decide blind on texts that were accepted in bulk.

    size: how many texts, with those of earlier audits. seed: of the order; the same for all
    sessions of a project.
    """

    size: int
    seed: str

    kind = "audit"

    def load(self, known: Sources) -> Loaded:
        """The sample.

        RAISES (InputError): If nothing was accepted in bulk.
        """
        loaded = load_queue_texts(known)
        in_bulk = {head.digest for head in loaded.heads if head.mode == BULK}
        accepted = [t for t in loaded.texts if t.digest in in_bulk and _is_accepted(known, t)]
        if not accepted:
            raise InputError(Errors.H414.format(tasks=", ".join(known.plan)))
        accepted.sort(key=lambda text: draw(self.seed, text.digest))
        loaded.texts = [self.read(known, text) for text in accepted[: self.size]]
        return loaded

    def read(self, known: Sources, base: QueueText) -> QueueText:
        """Done by who answered in an audit, whatever was decided on the text before."""
        now = read_text(known, base)
        made = (known.dataset.decisions(name, base.digest) for name in known.plan)
        found = [audit_of(decisions) for decisions in made if accepted_unseen(decisions)]
        people = {d.annotator for d in found if d is not None}
        done = frozenset(people) if None not in found else frozenset()
        return now._replace(decided_by=done)

    def versions(self, known: Sources, digest: str) -> Tuple[Version, ...]:
        """None: nothing is shown."""
        return ()


def draw(seed: str, digest: str) -> bytes:
    """RETURNS (bytes): Where a text stands in the order of all audits."""
    return hashlib.sha256(f"audit:{seed}:{digest}".encode()).digest()


def _is_accepted(known: Sources, text: QueueText) -> bool:
    return any(
        accepted_unseen(known.dataset.decisions(name, text.digest)) is not None
        for name in known.plan
    )
