"""The router of expected corrections: where most is to be done comes first."""

from typing import Any, List, Optional, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacy.util import registry

from spacy_hitl.records import Annotation, Candidate, CategoryAnnotation, Proposal, SpanAnnotation
from spacy_hitl.review.queue.expected import expected_corrections, make_expected_corrections
from spacy_hitl.review.queue.routers import URGENT, run_router

TEXT = "a b c d e f g h i j k l m n o p q r s t u v w x y z"


def candidate(
    digest: str, *scores: Optional[float], status: str = "ok", more: Sequence[Proposal] = ()
) -> Candidate:
    """A text with one span for each score."""
    spans = tuple(
        SpanAnnotation(2 * i, 2 * i + 1, "A", score=score) for i, score in enumerate(scores)
    )
    shown = Proposal(digest, "letters", "m", status, "t", Annotation(spans=spans))
    return Candidate(digest, TEXT, {"letters": (shown, *more)}, {"letters": ()})


def order(*candidates: Candidate, **options: float) -> List[str]:
    found = run_router(make_expected_corrections(**options), candidates)
    return [s.digest for s in sorted(found, key=lambda s: -s.score)]


def test_many_small_doubts_come_before_a_large_one() -> None:
    assert order(candidate("one", 0.4), candidate("five", *[0.8] * 5)) == ["five", "one"]


def test_without_scores_the_most_annotations_come_first() -> None:
    assert order(candidate("1", None), candidate("3", *[None] * 3), candidate("0")) == [
        "3",
        "1",
        "0",
    ]


def test_unusable_answers_come_before_all_and_say_why() -> None:
    refused = candidate("refused", status="refused")
    found = {
        s.digest: s
        for s in run_router(make_expected_corrections(), [refused, candidate("x", *[0.1] * 9)])
    }
    assert found["refused"].score >= URGENT > found["x"].score
    assert found["refused"].why == "the model refused"


def test_it_says_how_much_it_expects() -> None:
    (two, none) = run_router(
        make_expected_corrections(), [candidate("2", 0.4, 0.9), candidate("0")]
    )
    assert two.why == "0.7 corrections expected in 2 annotations"
    assert none.why == "nothing that could be wrong"
    assert (two.score, none.score) == (pytest.approx(0.7), 0.0)


def test_a_perfect_score_is_not_a_promise() -> None:
    assert expected_corrections(candidate("x", 1.0, 1.0), floor=0.1) == (pytest.approx(0.2), 2)


def test_votes_stand_in_for_scores_and_what_others_add_counts() -> None:
    """Two of three samples have the first letter, one has another one, which is not shown."""
    texts = {
        "agree": Annotation((SpanAnnotation(0, 1, "A"),)),
        "other": Annotation((SpanAnnotation(2, 3, "A"),)),
    }
    more = [
        Proposal("x", "letters", "m", "ok", "t", texts[name], sample=i)
        for i, name in enumerate(("agree", "other"), start=2)
    ]
    wrong, count = expected_corrections(candidate("x", None, more=more))
    assert (wrong, count) == (pytest.approx(1 / 3 + 1 / 3), 2)


def test_categories_count_too() -> None:
    cats = Annotation(cats=(CategoryAnnotation("A", score=0.5), CategoryAnnotation("B")))
    proposal = Proposal("x", "topics", "m", "ok", "t", cats)
    found = Candidate("x", TEXT, {"topics": (proposal,), "nothing": ()}, {})
    assert expected_corrections(found, unknown=0.25) == (pytest.approx(0.75), 2)


@given(st.lists(st.floats(0, 1), max_size=12), st.floats(0, 1))
def test_one_more_annotation_never_makes_less_work(scores: List[float], another: float) -> None:
    before, _ = expected_corrections(candidate("x", *scores))
    after, count = expected_corrections(candidate("x", *scores, another))
    assert before <= after <= count == len(scores) + 1


def test_a_config_can_name_it() -> None:
    block: Any = {"@misc": "spacy-hitl.ExpectedCorrections.v1", "unknown": 0.5}
    router = registry.resolve({"router": block})["router"]
    (found,) = router([candidate("x", None)])
    assert found.score == 0.5
