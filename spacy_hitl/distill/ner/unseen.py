"""Words nobody has seen: a small training set makes a student learn names by heart.

Words are replaced, for one pass, by made-up ones of the same shape, so that shape, affixes and
context have to do what they have to do for a new name: most entities, as in mention replacement
(Dai and Adel, "An Analysis of Simple Data Augmentation for Named Entity Recognition", COLING 2020),
and rare words anywhere, since not all that is new is a name. Their rate falls with frequency, as in
Kiperwasser and Goldberg, "Simple and Accurate Dependency Parsing Using Bidirectional LSTM Feature
Representations" (TACL 2016, section 4.4), where such words become one unknown word. Here each
becomes another one, since spaCy's hashed features know no unknown word.
"""

import random
from collections import Counter
from typing import Any, Iterable, List, Sequence

from spacy.tokens import Doc, Span
from spacy.training import Example
from spacy.vocab import Vocab

MIN_LENGTH = 3  # characters; shorter words give no pieces


class UnseenWords:
    """Replaces entities and rare words by made-up words.

    docs (Iterable[Doc]): The training texts: how often their words come.
    names (float): Probability of an entity to get a new name.
    rate (float): Any other word that comes n times is replaced with probability rate / (rate + n).
    case (float): Probability of an entity to be written in another case.
    random (Random): Source of chance.
    vocab (Vocab): Of the texts that are made: it keeps every word, so it is best one that is not
        saved.
    """

    def __init__(
        self,
        docs: Iterable[Doc],
        *,
        names: float,
        rate: float,
        case: float,
        random: random.Random,
        vocab: Vocab,
    ) -> None:
        self._vocab = vocab
        self._names = names
        self._rate = rate
        self._case = case
        self._random = random
        self._counts: Counter[str] = Counter()
        for doc in docs:
            self._counts.update(t.text.lower() for t in doc if t.is_alpha)
        self._pieces = sorted(w for w in self._counts if len(w) >= MIN_LENGTH) or ["unseen"]

    def __call__(self, eg: Example) -> Example:
        """RETURNS (Example): With other words and the same annotation, or the example itself."""
        words = [token.text for token in eg.reference]
        if words != [token.text for token in eg.predicted]:
            return eg
        changed = self.replace(words)
        for ent in eg.reference.ents:
            changed[ent.start : ent.end] = self.rename(words[ent.start : ent.end])
        if changed == words:
            return eg
        made = (self._with_words(doc, changed) for doc in (eg.predicted, eg.reference))
        return Example(*made)

    def replace(self, words: Sequence[str]) -> List[str]:
        """RETURNS (List[str]): As many words, rare ones made up."""
        return [self.make_up(word) if self._is_drawn(word) else word for word in words]

    def rename(self, words: Sequence[str]) -> List[str]:
        """RETURNS (List[str]): As many words: of a new name, the old one, or in another case."""
        drawn = self._random.random() < self._names
        new = [self.make_up(w) if w.isalpha() else w for w in words] if drawn else list(words)
        if self._random.random() < self._case:
            change = self._random.choice((str.lower, str.upper, str.title))
            new = [change(word) for word in new]
        return new

    def make_up(self, word: str) -> str:
        """RETURNS (str): A new word in the same case, which half the time ends as the old one."""
        first, second = self._random.choice(self._pieces), self._random.choice(self._pieces)
        made = first[: self._random.randint(2, 4)] + second[-self._random.randint(2, 4) :]
        if len(word) > MIN_LENGTH + 1 and self._random.random() < 0.5:
            made = made[:-2] + word[-MIN_LENGTH:].lower()
        if word.isupper() and len(word) > 1:
            return made.upper()
        return made.capitalize() if word[0].isupper() else made

    def _is_drawn(self, word: str) -> bool:
        if not word.isalpha():
            return False
        count = self._counts[word.lower()]
        return self._random.random() < self._rate / (self._rate + count)

    def _with_words(self, doc: Doc, words: Sequence[str]) -> Doc:
        spaces = [bool(token.whitespace_) for token in doc]
        made = Doc(self._vocab, words=list(words), spaces=spaces)
        for token in doc:
            self._vocab.strings.add(token.ent_type_)
        annotation: Any = doc.to_array(["ENT_IOB", "ENT_TYPE"])
        made.from_array(["ENT_IOB", "ENT_TYPE"], annotation)
        for key, spans in doc.spans.items():
            made.spans[key] = [Span(made, s.start, s.end, label=s.label_) for s in spans]
        return made
