"""What the tests of the tasks share: documents, answers, and what every parsed answer keeps."""

import json
import unicodedata

import spacy
from hypothesis import strategies as st

from spacy_hitl.records import (
    EMPTY,
    FAILED,
    MALFORMED,
    OK,
    REFUSED,
    STATUSES,
    TRUNCATED,
    UNALIGNED,
    Annotation,
    Response,
)

NLP = spacy.blank("en")

# Words that differ only in case, normal form or what they are glued to; several planes and
# directions; emoji of one and of several code points.
WORDS = (
    "Apple",
    "apple",
    "Applesauce",
    "Nebula",
    "Pro",
    "K10",
    "K10U",
    "Café",
    "Cafe\u0301",
    "İstanbul'da",
    "bánh",
    "ba\u0301nh",
    "mì",
    "שלום",
    "مرحبا",
    "日本語",
    "😀",
    "👩\u200d👩\u200d👧",
    "𝔘nicode",
    "a",
)
SEPARATORS = (" ", "  ", "\n", "\n\n", " \n ", "\t", "\u00a0", ", ", ". ", " (", ") ", "…")


@st.composite
def texts(draw):
    """Texts of words that are easily taken for one another, between all kinds of white space."""
    words = draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=12))
    gaps = draw(
        st.lists(st.sampled_from(SEPARATORS), min_size=len(words) + 1, max_size=len(words) + 1)
    )
    start, end = draw(st.booleans()), draw(st.booleans())
    parts = [gaps[0] if start else ""]
    for i, (word, gap) in enumerate(zip(words, gaps[1:], strict=True)):
        parts += [word, gap if i < len(words) - 1 or end else ""]
    return "".join(parts)


def same_letters(text):
    """A text up to the two things grounding may ignore."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def answer(value, **fields):
    """A response that holds a JSON value."""
    return Response(model="test", text=json.dumps(value, ensure_ascii=False), **fields)


def quotes(field, *pairs):
    """{"field": [{"text", "label"}, ...]}"""
    return {field: [{"text": text, "label": label} for text, label in pairs]}


def kinds(parsed):
    """The kinds of problems of a parsed answer."""
    return [p.kind for p in parsed.problems]


WRONG = {"schema", "not_json", "unknown_label", "not_allowed"}


def assert_consistent(parsed):
    """What holds for every parsed answer, whatever came."""
    assert parsed.status in STATUSES
    if parsed.status == OK:
        assert parsed.annotation != Annotation()
        assert not parsed.problems
    elif parsed.status == EMPTY:
        assert parsed.annotation == Annotation()
        assert not parsed.problems
    else:
        assert parsed.problems, f"{parsed.status} without a reason"
    if parsed.status in (REFUSED, TRUNCATED, FAILED):
        assert parsed.annotation == Annotation()
    if parsed.status == MALFORMED:
        assert WRONG & set(kinds(parsed))
    if parsed.status == UNALIGNED:
        assert not WRONG & set(kinds(parsed))


def assert_parses(task, doc, response, status, problems=None):
    """Parse, compare the status (and the kinds of problems), and see that the doc is untouched.

    RETURNS: The parsed answer.
    """
    before = doc.to_bytes()
    parsed = task.parse(doc, response)
    assert doc.to_bytes() == before, "parse changed the document"
    assert_consistent(parsed)
    assert parsed.status == status, parsed
    if problems is not None:
        assert kinds(parsed) == problems, parsed
    return parsed


def spans_of(text, annotation):
    """[(start, letters, label), ...]: offsets with what stands there."""
    return [(s.start, text[s.start : s.end], s.label) for s in annotation.spans]
