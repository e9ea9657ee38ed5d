"""What a person may see of a text, and what is on the screen before they touch it."""

from dataclasses import replace
from typing import Optional, Tuple

from ...records import GOLD
from ..queue.queue import Queue
from ..queue.ranker import Ranker
from .auditing import Auditing
from .plan import ReviewTask
from .prefill import Prefill, agreed
from .purposes import Comparing, Purpose, Reviewing, Version
from .texts import Texts


class Sight:
    """Of all texts of a session.

    texts (Texts): The texts.
    queue (Queue): Knows who decided what.
    purpose (Purpose): What the session is for.
    """

    def __init__(self, texts: Texts, queue: Queue, purpose: Purpose) -> None:
        self._texts = texts
        self._queue = queue
        self._purpose = purpose
        self.ranker: Optional[Ranker] = None  # finds what may be missing, once there is one

    def is_blind(self, annotator: str, digest: str) -> bool:
        """RETURNS (bool): Whether a person must not see what the model said of a text: it is gold,
        or one of those that everybody decides on first, and that is not over, or it is in two
        versions whose names nobody is to know, or in an audit.
        """
        hidden = isinstance(self._purpose, (Comparing, Auditing))
        if hidden or self._texts.lane(digest) == GOLD:
            return True
        closed = self._queue.calibrating or not self.has_decided(annotator, digest)
        return closed and digest in self._queue.calibration

    def has_decided(self, annotator: str, digest: str) -> bool:
        """RETURNS (bool): Whether a person's own answer on a text stands."""
        text = self._queue.text(digest)
        return text is not None and annotator in text.decided_by

    def prefill(self, task: ReviewTask, digest: str, *, blind: bool) -> Prefill:
        """RETURNS (Prefill): What is shown of a text at first; of two versions, what both say; of a
        decision that is in doubt, the decision.
        """
        if self._purpose.kind in ("text", "audit"):
            again = self._queue.is_recheck(digest)
            return self._texts.prefill(task, digest, blind=blind, decided=again)
        versions = self.versions(digest)
        return agreed(v.annotations.get(task.name) for v in versions)

    def with_missing(self, task: ReviewTask, digest: str, shown: Prefill) -> Prefill:
        """RETURNS (Prefill): The same, with what may be missing in it. Not for blind texts."""
        if self.ranker is None or not isinstance(self._purpose, Reviewing):
            return shown
        spans, known = shown.annotation.spans, self._texts.sources
        missing = self.ranker.missing(task.name, digest, spans)
        missing = missing or self._purpose.doubts.offered(known, task.name, digest, spans)
        return replace(shown, extra=missing or shown.extra)

    def versions(self, digest: str) -> Tuple[Version, ...]:
        """RETURNS (Tuple[Version, ...]): The two versions that are shown side by side, or none."""
        return self._purpose.versions(self._texts.sources, digest)
