"""Between characters and tokens: the page sees token indices only, the dataset characters only."""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import Any, Dict, Iterable, List, Optional, Tuple

from spacy.tokens import Doc

from ...records import NIL, Annotation, SpanAnnotation

Place = Tuple[int, int]


@dataclass(frozen=True)
class Tokens:
    """The tokens of a text.

    starts, ends: their offsets in characters. spaces: whether a space follows.
    """

    text: str
    starts: Tuple[int, ...]
    ends: Tuple[int, ...]
    spaces: Tuple[bool, ...]

    @classmethod
    def of(cls, doc: Doc) -> "Tokens":
        """RETURNS (Tokens): The tokens of a document."""
        found = [(t.idx, len(t), bool(t.whitespace_)) for t in doc]
        return cls(
            text=doc.text,
            starts=tuple(start for start, _, _ in found),
            ends=tuple(start + length for start, length, _ in found),
            spaces=tuple(space for _, _, space in found),
        )

    def __len__(self) -> int:
        return len(self.starts)

    def shown(self) -> List[List[Any]]:
        """RETURNS (List[List[Any]]): Text of each token, and 1 if a space follows, else 0."""
        return [
            [self.text[s:e], int(space)]
            for s, e, space in zip(self.starts, self.ends, self.spaces, strict=True)
        ]

    def chars(self, start: int, end: int) -> Place:
        """RETURNS (Place): Offsets in characters of a non-empty range of tokens."""
        return self.starts[start], self.ends[end - 1]

    def cover(self, start: int, end: int) -> Tuple[Place, bool]:
        """Find the tokens that hold a stretch of text.

        start (int): Offset in characters.
        end (int): Offset in characters, exclusive, above `start`.
        RETURNS (Tuple[Place, bool]): The smallest range of tokens that covers it, and whether it
            stands on their boundaries.
        """
        first = min(bisect_right(self.ends, start), len(self) - 1)
        last = max(bisect_left(self.starts, end), first + 1)
        return (first, last), self.chars(first, last) == (start, end)


@dataclass(frozen=True)
class Shown:
    """An annotation as the page shows it.

    value: the TokenAnnotation of the page, a JSON object. snapped: spans that do not stand on
    token boundaries and were widened, or could not be shown at all, in words.
    """

    value: Dict[str, Any]
    snapped: Tuple[str, ...] = ()


def show(
    annotation: Annotation, tokens: Tokens, *, kind: str, label: Optional[str] = None
) -> Shown:
    """Turn characters into tokens.

    annotation (Annotation): What one task says about the text.
    tokens (Tokens): The text's tokens.
    kind (str): Kind of the task.
    label (Optional[str]): Show only this label.
    RETURNS (Shown): What the page shows.
    """
    snapped: List[str] = []
    spans: List[Dict[str, Any]] = []
    taken = 0  # entities and mentions never overlap, also when they were widened
    for s in sorted(annotation.spans, key=lambda s: (s.start, s.end, s.label)):
        if label is not None and s.label != label:
            continue
        (start, end), exact = tokens.cover(s.start, s.end)
        quoted = f"'{tokens.text[s.start : s.end]}' ({s.label})"
        if kind != "spancat" and start < taken:
            snapped.append(f"{quoted} can't be shown: it shares a token with the span before it")
            continue
        taken = end
        if not exact:
            wide = tokens.text[slice(*tokens.chars(start, end))]
            snapped.append(f"{quoted} was widened to whole tokens: '{wide}'")
        item = {
            "start": start,
            "end": end,
            "label": s.label,
            "score": s.score,
            "source": s.score_source,
        }
        if kind == "linking":
            item["id"] = s.kb_id
        spans.append(item)
    cats = [
        {"label": c.label, "score": c.score, "source": c.score_source}
        for c in annotation.cats
        if label in (None, c.label)
    ]
    relations = []
    for r in annotation.relations:
        head, exact_head = tokens.cover(r.head_start, r.head_end)
        tail, exact_tail = tokens.cover(r.tail_start, r.tail_end)
        if not (exact_head and exact_tail):
            snapped.append(f"a mention of the relation {r.label} was widened to whole tokens")
        relations.append(
            {
                "head": list(head),
                "tail": list(tail),
                "label": r.label,
                "score": r.score,
                "source": r.score_source,
            }
        )
    return Shown({"spans": spans, "cats": cats, "relations": relations}, tuple(snapped))


def only_places(spans: Iterable[SpanAnnotation], tokens: Tokens) -> List[Dict[str, Any]]:
    """RETURNS (List[Dict[str, Any]]): Mentions without what they link to, for the page."""
    bare = Annotation(spans=tuple(SpanAnnotation(s.start, s.end, s.label) for s in spans))
    found: List[Dict[str, Any]] = show(bare, tokens, kind="linking").value["spans"]
    return found


def show_compact(annotation: Annotation, *, kind: str, text: str, limit: int = 4) -> str:
    """Say in a few words what an annotation holds, for the list of the last answers.

    annotation (Annotation): What was decided.
    kind (str): Kind of the task.
    text (str): The text.
    limit (int): How many different items are named.
    RETURNS (str): For example "2 PRODUCT" or "CAMERA_POSITIVE, BATTERY_NEGATIVE".
    """
    if kind == "linking":
        names = [s.kb_id or NIL for s in annotation.spans]
    elif kind == "textcat":
        names = [c.label for c in annotation.cats]
    elif kind == "relations":
        names = [r.label for r in annotation.relations]
    else:
        names = [s.label for s in annotation.spans]
    counts = {name: names.count(name) for name in names}
    parts = [name if n == 1 and kind != "ner" else f"{n} {name}" for name, n in counts.items()]
    more = len(parts) - limit
    return ", ".join([*parts[:limit], *([f"{more} more"] if more > 0 else [])])
