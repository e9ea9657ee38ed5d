"""What is counted as answers come and are taken back: equal to a recount at any time. Pure."""

from typing import Dict, List, Optional, Sequence

from ...dataset.reviews import DecisionHead
from ...records import BULK, FLAG, UNDO, Decision
from ...scoring.clock import ClockTally


class Tally:
    """The answers that stand, the flagged ones, and the clock.

    heads (Sequence[DecisionHead]): Of all stored decisions, oldest first.
    """

    def __init__(self, heads: Sequence[DecisionHead] = ()) -> None:
        self.clock = ClockTally.of(heads)
        self._answers: Dict[str, Dict[str, None]] = {}  # uids by annotator, oldest first
        self._flags: Dict[str, None] = {}
        undone = {(h.annotator, h.undoes) for h in heads if h.action == UNDO}
        for h in heads:
            # A bulk accept is taken back by its own command, never by a key on the page.
            answered = h.uid is not None and h.action != UNDO and h.mode != BULK
            if answered and (h.annotator, h.uid) not in undone:
                self._stands(h.annotator, str(h.uid), flagged=h.flagged or h.action == FLAG)

    def _stands(self, annotator: str, uid: str, *, flagged: bool) -> None:
        self._answers.setdefault(annotator, {})[uid] = None
        if flagged:
            self._flags[uid] = None

    def add(self, decisions: Sequence[Decision]) -> None:
        """Count one answer; its decisions all have one uid. An undo takes the other answer out."""
        first = decisions[0]
        if first.action == UNDO:
            self._answers.get(first.annotator, {}).pop(str(first.undoes), None)
            self._flags.pop(str(first.undoes), None)
        else:
            flagged = first.flagged or first.action == FLAG
            self._stands(first.annotator, str(first.uid), flagged=flagged)
        for d in decisions:
            self.clock.add(d)

    def last(self, annotator: str) -> Optional[str]:
        """RETURNS (Optional[str]): Uid of a person's last answer that stands."""
        return next(reversed(self._answers.get(annotator, {})), None)

    def answers(self, annotator: str, count: int) -> List[str]:
        """RETURNS (List[str]): Uids of a person's last answers that stand, newest first."""
        return list(reversed(list(self._answers.get(annotator, {}))[-count:]))

    def flagged(self, count: int) -> List[str]:
        """RETURNS (List[str]): Uids of the last flagged answers of all people, newest first."""
        return list(reversed(list(self._flags)[-count:]))

    def all_answers(self) -> Dict[str, List[str]]:
        """RETURNS (Dict[str, List[str]]): Uids that stand by annotator, oldest first."""
        return {name: list(uids) for name, uids in self._answers.items() if uids}
