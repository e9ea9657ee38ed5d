"""How often student and LLM disagree: what shows that texts are no longer those it learned from."""

from dataclasses import dataclass
from typing import Iterable, List

from ...records import Record
from .answers import ABSTAINED, LLM, CascadeAnswer


@dataclass(frozen=True)
class Disagreement(Record):
    """On how many of some texts the LLM said something else than the student.

    texts: how many both annotated. disagreed: on how many of them.
    """

    texts: int = 0
    disagreed: int = 0

    @property
    def share(self) -> float:
        """The share of the texts, 0 of none."""
        return self.disagreed / self.texts if self.texts else 0.0

    @property
    def bounds(self) -> "tuple[float, float]":
        """Wilson's 95% interval of the share; 0 to 1 of no texts."""
        from ...scoring.cascade import share_bounds

        return share_bounds(self.disagreed, self.texts)

    def __add__(self, other: "Disagreement") -> "Disagreement":
        return Disagreement(self.texts + other.texts, self.disagreed + other.disagreed)

    def __str__(self) -> str:
        low, high = self.bounds
        return f"{self.disagreed} of {self.texts} ({self.share:.1%} [{low:.1%}, {high:.1%}])"


NONE = Disagreement()


@dataclass(frozen=True)
class Drift(Record):
    """What a cascade counted since it was loaded, or what its answers on documents add up to.

    texts: that went through it. asked: those below the threshold that the LLM answered: the
    doubtful ones, so their share of disagreement says nothing about all texts. audited: the random
    share that the LLM was asked about anyway: their share of disagreement is that of all texts.
    abstained: texts below the threshold without an answer. unqueued: cases that still wait for the
    dataset.
    """

    texts: int = 0
    asked: Disagreement = NONE
    audited: Disagreement = NONE
    abstained: int = 0
    unqueued: int = 0

    @classmethod
    def of(cls, answers: Iterable[CascadeAnswer]) -> "Drift":
        """RETURNS (Drift): What answers of one cascade add up to, wherever they were given."""
        found = cls()
        for answer in answers:
            both = Disagreement(1, int(not answer.agreed)) if answer.agreed is not None else NONE
            found += cls(
                texts=1,
                asked=both if answer.answered == LLM else NONE,
                audited=both if answer.audit else NONE,
                abstained=int(answer.answered == ABSTAINED),
            )
        return found

    def __add__(self, other: "Drift") -> "Drift":
        return Drift(
            self.texts + other.texts,
            self.asked + other.asked,
            self.audited + other.audited,
            self.abstained + other.abstained,
            self.unqueued + other.unqueued,
        )

    def lines(self, name: str) -> List[str]:
        """RETURNS (List[str]): What a command prints about the cascade of a name."""
        found = [f"{name}: {self.texts} texts, student and LLM disagree on"]
        if self.audited.texts:
            found.append(f"  {self.audited} of a random share of all texts: the drift signal")
        found.append(f"  {self.asked} of the doubtful texts that were asked about")
        if self.abstained:
            found.append(f"  {self.abstained} doubtful texts without an answer (abstained)")
        if self.unqueued:
            found.append(f"  {self.unqueued} cases wait for the review queue")
        return found
