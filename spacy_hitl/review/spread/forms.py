"""Surface forms: the same words in other places. Pure.

The words here are those of a regular expression, many texts a second; what is decided everywhere is
found again on the tokens of the pipeline (`propagation`).
"""

import re
from collections import Counter
from typing import Dict, Iterator, NamedTuple, Sequence, Set, Tuple

from ...records import SpanAnnotation
from ...tasks.grounding import normal

# Thai to Khmer, Kana and Han are written without spaces: a character is a word.
_ALONE = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff"
_WORD = re.compile(rf"[{_ALONE}]|(?:(?![{_ALONE}])[\w\u0300-\u036f])+|[^\w\s]")
MAX_WORDS = 20  # a longer form never comes again


class Place(NamedTuple):
    """Where a form stands: offsets in characters, end exclusive."""

    start: int
    end: int
    form: str


def split(text: str) -> Sequence[Tuple[int, int]]:
    """RETURNS (Sequence[Tuple[int, int]]): Start and end of each word or mark, in characters."""
    return [m.span() for m in _WORD.finditer(text)]


class Forms:
    """Surface forms with the labels that people gave them."""

    def __init__(self) -> None:
        self.labels: Dict[str, Counter[str]] = {}
        self._lengths: Dict[str, Set[int]] = {}  # numbers of words, by first word

    def add(self, form: str, label: str) -> None:
        """Count a labelled place."""
        if form not in self.labels:
            words = split(form)
            if not words or len(words) > MAX_WORDS:
                return
            self.labels[form] = Counter()
            first = normal(form[words[0][0] : words[0][1]])
            self._lengths.setdefault(first, set()).add(len(words))
        self.labels[form][label] += 1

    def find(self, text: str) -> Iterator[Place]:
        """Find the forms in a text; of those that overlap, the first, and the longest there.

        text (str): Any text.
        YIELDS (Place): In text order.
        """
        words = split(text)
        i = 0
        while i < len(words):
            start, end = words[i]
            step = 1
            for length in sorted(self._lengths.get(normal(text[start:end]), ()), reverse=True):
                if i + length <= len(words):
                    stop = words[i + length - 1][1]
                    form = normal(text[start:stop])
                    if form in self.labels:
                        yield Place(start, stop, form)
                        step = length
                        break
            i += step


def form_of(text: str, span: SpanAnnotation) -> str:
    """RETURNS (str): The words of a span, without what grounding ignores."""
    return normal(text[span.start : span.end])


def overlaps(start: int, end: int, spans: Sequence[SpanAnnotation]) -> bool:
    """RETURNS (bool): Whether a stretch shares characters with one of the spans."""
    return any(s.start < end and start < s.end for s in spans)
