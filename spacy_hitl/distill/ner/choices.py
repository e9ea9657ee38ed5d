"""What to believe: the list of seen names or not, and how sure the student must be of a new one.

Both are chosen on texts that the members did not learn from, and both end up inside plain spaCy:
as patterns of an `entity_ruler` in front of the `ner`, and in the bias of its last layer.
"""

from dataclasses import dataclass
from typing import Any, Dict, FrozenSet, List, Optional, Sequence, Set, Tuple

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from ..soft.ner import actions
from .seen import fill_ruler, seen_patterns

SHARES = (None, 0.5, 0.8)  # see `seen_patterns`; None: no list
BIASES = (0.0, -1.0, -2.0, 1.0, 2.0, 3.0)  # of the action that stands for "no entity"
Ents = Set[Tuple[int, int, str]]


@dataclass(frozen=True)
class Choice:
    """min_share: of `seen_patterns`, None for no list. bias: added to the action O."""

    min_share: Optional[float] = None
    bias: float = 0.0


class Choices:
    """Counts hits and errors of every choice, and knows the best one.

    component (str): Name of the `ner`.
    ruler (Optional[str]): Name of the entity_ruler in front of it, if there is one.
    """

    def __init__(self, component: str, ruler: Optional[str]) -> None:
        self._component = component
        self._ruler = ruler
        shares = SHARES if ruler else (None,)
        choices = [Choice(share, bias) for share in shares for bias in BIASES]
        self._counts: Dict[Choice, List[int]] = {choice: [0, 0] for choice in choices}
        self._wanted = 0

    def count(self, nlp: Language, learned: Sequence[Example], held: Sequence[Example]) -> None:
        """Let a member read texts that it did not learn from.

        nlp (Language): The member; left as it was, but for the patterns of the ruler.
        learned (Sequence[Example]): What it learned from.
        held (Sequence[Example]): What it did not see.
        """
        model = nlp.get_pipe(self._component).model  # type: ignore[attr-defined]
        upper = model.get_ref("upper")
        before = upper.get_param("b").copy()
        wanted = [_ents(eg.reference) for eg in held]
        unknown = [_unknown(eg.reference) for eg in held]
        self._wanted += sum(map(len, wanted))
        for choice, counts in self._counts.items():
            if choice.min_share is not None and choice.bias == BIASES[0]:
                self._know(nlp, learned, choice.min_share)
            self._lean(nlp, choice.bias)
            known = choice.min_share is not None and self._knows(nlp)
            unused = [self._ruler] if self._ruler and not known else []
            docs = nlp.pipe([eg.predicted.copy() for eg in held], disable=unused)
            for doc, right, open_ in zip(docs, wanted, unknown, strict=True):
                found = {e for e in _ents(doc) if not open_ & set(range(e[0], e[1]))}
                counts[0] += len(found & right)
                counts[1] += len(found)
            upper.set_param("b", before.copy())

    def best(self) -> Choice:
        """RETURNS (Choice): With the best F; the first of equals."""
        return max(self._counts, key=self.f)

    def f(self, choice: Choice) -> float:
        """RETURNS (float): F of a choice over all texts that were counted."""
        hits, found = self._counts[choice]
        return 2 * hits / max(found + self._wanted, 1)

    def apply(self, nlp: Language, examples: Sequence[Example], choice: Choice) -> None:
        """Make a choice part of a pipeline.

        nlp (Language): Changed in place.
        examples (Sequence[Example]): Whose names it may know.
        choice (Choice): What was chosen. Without a list, or with one that has no name, the ruler is
            removed.
        """
        if choice.min_share is not None:
            self._know(nlp, examples, choice.min_share)
        if self._ruler is not None and (choice.min_share is None or not self._knows(nlp)):
            nlp.remove_pipe(self._ruler)  # an empty one would warn at every text
        self._lean(nlp, choice.bias)

    def _know(self, nlp: Language, examples: Sequence[Example], share: float) -> None:
        patterns = seen_patterns((eg.reference for eg in examples), min_share=share)
        fill_ruler(nlp, str(self._ruler), patterns)

    def _knows(self, nlp: Language) -> bool:
        """RETURNS (bool): Whether the list has a name."""
        ruler: Any = nlp.get_pipe(str(self._ruler))
        return len(ruler) > 0

    def _lean(self, nlp: Language, bias: float) -> None:
        pipe: Any = nlp.get_pipe(self._component)
        upper = pipe.model.get_ref("upper")
        values = upper.get_param("b").copy()
        values[actions(pipe).index("O")] += np.float32(bias)
        upper.set_param("b", values)


def _ents(doc: Doc) -> Ents:
    return {(ent.start, ent.end, ent.label_) for ent in doc.ents}


def _unknown(doc: Doc) -> FrozenSet[int]:
    """RETURNS (FrozenSet[int]): Tokens that nobody decided on."""
    return frozenset(token.i for token in doc if not token.ent_iob)
