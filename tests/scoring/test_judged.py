"""Which annotations count as right, and what is said of their scores."""

from typing import Any

import pytest

from spacy_hitl.records import Annotation, CategoryAnnotation, Proposal, SpanAnnotation
from spacy_hitl.scoring.confidence import weigh
from spacy_hitl.scoring.intervals import Interval
from spacy_hitl.scoring.judged import (
    COVERAGES,
    JudgedText,
    Measures,
    judge,
    measure,
    measures_table,
    verdict,
)


def text(truth: Annotation, *samples: Annotation) -> JudgedText:
    found = [
        Proposal("t", "mood", "m", "ok", "d", annotation=a, sample=i)
        for i, a in enumerate(samples, start=1)
    ]
    return JudgedText(samples[0], weigh(found), truth)


def spans(*found: Any) -> Annotation:
    return Annotation(spans=tuple(SpanAnnotation(*one) for one in found))


def cats(*labels: str) -> Annotation:
    return Annotation(cats=tuple(CategoryAnnotation(label) for label in labels))


def rows(scored: Any) -> Any:
    pairs = zip(scored.scores, scored.right, scored.texts, strict=True)
    return sorted((float(s), bool(r), int(t)) for s, r, t in pairs)


def test_spans_are_right_exactly() -> None:
    texts = [
        text(spans((0, 3, "A")), spans((0, 3, "A")), spans((0, 5, "A"))),
        text(spans((0, 3, "A")), spans((0, 5, "A")), spans((0, 5, "A"), (7, 8, "B"))),
        text(spans(), spans((0, 1, "A"))),  # one voter: no score
    ]
    judged = judge(texts)
    assert rows(judged["proposed"]) == [(0.5, True, 0), (1.0, False, 1)]
    assert rows(judged["proposed, relaxed votes"]) == [(1.0, False, 1), (1.0, True, 0)]
    assert rows(judged["any sample"]) == [
        (0.5, False, 0),
        (0.5, False, 1),
        (0.5, True, 0),
        (1.0, False, 1),
    ]
    assert "left out" not in judged


def test_links_are_judged_by_their_id() -> None:
    truth = spans((0, 3, "", "Q1"))
    judged = judge([text(truth, *[spans((0, 3, "PRODUCT", "Q1"))] * 2)])
    assert rows(judged["proposed"]) == [(1.0, True, 0)]


def test_what_was_left_out_is_judged_too() -> None:
    judged = judge([text(cats("A", "C"), cats("A"), cats("A", "B"))], absent_labels=["A", "B", "C"])
    assert rows(judged["left out"]) == [(0.5, True, 0), (1.0, False, 0)]
    assert "proposed, relaxed votes" not in judged


def test_a_table_has_a_line_per_figure() -> None:
    judged = judge([text(cats("A"), cats("A"), cats("B"))])
    shown = measures_table({name: measure(s, rounds=20) for name, s in judged.items()})
    for word in ("proposed", "any sample", "AUROC", "ECE calibrated", "error at 80%"):
        assert word in shown
    assert len(COVERAGES) == 3 and "-" in shown


@pytest.mark.parametrize(
    "wrong, area, words",
    [
        (20, (0.6, 0.45, 0.7), "tell nothing"),
        (20, (0.5, 0.5, 0.5), "tell nothing"),
        (20, (0.9, 0.8, 1.0), "tell right from wrong: in 90%"),
        (20, (0.6, 0.51, 0.7), "tell a little"),
        (20, (0.2, 0.1, 0.4), "upside down"),
        (4, (0.9, 0.8, 1.0), "only 4 wrong among them"),
        (97, (0.9, 0.8, 1.0), "only 3 right among them"),
        (0, None, "All 100 annotations are right"),
        (100, None, "All 100 annotations are wrong"),
    ],
)
def test_the_verdict(wrong: int, area: Any, words: str) -> None:
    found = Measures(100, wrong, 50, auroc=None if area is None else Interval(*area))
    assert words in verdict(found)
    assert ("with care" in verdict(found)) == (wrong in (4, 97))


def test_no_scores() -> None:
    assert "nothing to tell apart" in verdict(Measures(0, 0, 0))
