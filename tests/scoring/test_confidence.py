"""Who votes, what a share is, and what is written into an annotation."""

import json
import math
from typing import Any, Dict, List, Optional, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_hitl.records import (
    NIL,
    STATUSES,
    Annotation,
    CategoryAnnotation,
    Proposal,
    Response,
    SpanAnnotation,
)
from spacy_hitl.scoring.confidence import (
    VOTING,
    Confidence,
    Item,
    Votes,
    count_votes,
    items_of,
    label_probabilities,
    scored_annotation,
    weigh,
)


def spans(*found: Tuple[Any, ...]) -> Annotation:
    return Annotation(spans=tuple(SpanAnnotation(*one) for one in found))


def cats(*labels: str) -> Annotation:
    return Annotation(cats=tuple(CategoryAnnotation(label) for label in labels))


def proposal(annotation: Annotation, status: str = "ok", **values: Any) -> Proposal:
    return Proposal("t", "mood", "model", status, "digest", annotation=annotation, **values)


SAMPLES = [
    proposal(spans((0, 3, "A"), (8, 9, "B"))),
    proposal(spans((0, 3, "A")), sample=2),
    proposal(spans((0, 5, "A")), "unaligned", sample=3),
    proposal(Annotation(), "empty", sample=4),
]


def test_shares_of_spans() -> None:
    votes = count_votes(SAMPLES)
    assert votes.voters == 4
    assert votes.items == [Item("A", 0, 3), Item("A", 0, 5), Item("B", 8, 9)]
    assert [votes.share(i) for i in votes.items] == [0.5, 0.25, 0.25]
    assert [votes.share(i, relaxed=True) for i in votes.items] == [0.75, 0.75, 0.25]
    # What nobody gave: no share, unless something overlaps.
    assert votes.share(Item("A", 2, 4)) == 0
    assert votes.share(Item("A", 2, 4), relaxed=True) == 0.75
    for other in (Item("B", 0, 3), Item("A", 5, 8)):
        assert votes.share(other, relaxed=True) == 0


@pytest.mark.parametrize("status", sorted(set(STATUSES) - set(VOTING)))
def test_an_answer_that_says_nothing_is_no_voter(status: str) -> None:
    votes = count_votes([*SAMPLES, proposal(spans((0, 3, "A")), status, sample=5)])
    assert votes == count_votes(SAMPLES)


def test_categories_and_their_absence() -> None:
    votes = count_votes([proposal(cats("A", "B")), proposal(cats("A")), proposal(cats(), "empty")])
    assert votes.share(Item("A")) == pytest.approx(2 / 3)
    assert votes.share(Item("A"), relaxed=True) == pytest.approx(2 / 3)
    assert votes.share(Item("C")) == 0
    assert votes.absence("C") == 1
    assert votes.absence("B") == pytest.approx(2 / 3)


def test_a_link_is_its_id() -> None:
    same = spans((0, 3, "PRODUCT", "Q1")), spans((0, 3, "", "Q1"))
    assert items_of(same[0]) == items_of(same[1])
    votes = count_votes([proposal(a) for a in (*same, spans((0, 3, "PRODUCT", NIL)))])
    assert votes.share(Item("Q1", 0, 3)) == pytest.approx(2 / 3)
    assert votes.share(Item(NIL, 0, 3)) == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    "ballots", [[], [proposal(cats("A"))], [proposal(cats("A"), "failed")] * 3]
)
def test_one_voter_tells_nothing(ballots: List[Proposal]) -> None:
    confidence = weigh(ballots)
    assert confidence.votes.share(Item("A")) is None
    assert confidence.votes.absence("A") is None
    assert confidence.score(Item("A")) == (None, None)
    assert scored_annotation(proposal(cats("A")), confidence) == cats("A")


numbers = st.integers(0, 6)
some_spans = st.builds(
    lambda a, n, label: (a, a + n + 1, label), numbers, numbers, st.sampled_from("AB")
)
some_annotations = st.builds(lambda found: spans(*found), st.lists(some_spans, max_size=4))
some_proposals = st.builds(proposal, some_annotations, st.sampled_from(STATUSES))


@given(st.lists(some_proposals, max_size=6))
def test_shares_are_those_of_a_plain_count(found: List[Proposal]) -> None:
    voting = [p for p in found if p.status in VOTING]
    votes = count_votes(found)
    assert votes.voters == len(voting)
    assert set(votes.items) == {i for p in voting for i in items_of(p.annotation)}
    for item in votes.items:
        share, relaxed = votes.share(item), votes.share(item, relaxed=True)
        if len(voting) < 2:
            assert share is None and relaxed is None
            continue
        count = sum(
            any(
                (s.start, s.end, s.label) == (item.start, item.end, item.name)
                for s in p.annotation.spans
            )
            for p in voting
        )
        assert share == count / len(voting) > 0
        assert relaxed is not None and share <= relaxed <= 1


@given(st.lists(some_proposals, min_size=1, max_size=5))
def test_scores_change_nothing_else(found: List[Proposal]) -> None:
    confidence = weigh(found)
    for p in found:
        scored = scored_annotation(p, confidence)
        assert items_of(scored) == items_of(p.annotation)
        assert len(scored.spans) == len(p.annotation.spans)
        for s in scored.spans:
            known = confidence.votes.voters >= 2
            assert s.score_source == ("votes" if known else None)
            assert (s.score is not None) == known


# Log-probabilities


def answered(value: Any, *, surely: Optional[Dict[str, float]] = None) -> Response:
    """An answer whose tokens are single characters; those of the given strings are unsure."""
    text = json.dumps(value)
    logprobs = [(c, 0.0) for c in text]
    for word, logprob in (surely or {}).items():
        at = text.index(word)
        logprobs[at : at + len(word)] = [(c, logprob) for c in word]
    return Response("m", text=text, logprobs=tuple(logprobs))


def test_probability_of_categories() -> None:
    response = answered({"labels": ["A", "BB"]}, surely={"BB": -0.5})
    found = label_probabilities(response, cats("A", "BB"), text="x")
    assert found == {Item("A"): 1.0, Item("BB"): pytest.approx(math.exp(-0.5))}
    single = answered({"label": "YES"}, surely={"YES": -2.0})
    assert label_probabilities(single, cats("YES"), text="x") == {
        Item("YES"): pytest.approx(math.exp(-2))
    }


def test_probability_of_spans_is_that_of_the_label_not_the_words() -> None:
    value = {
        "entities": [
            {"text": "K9", "label": "AA"},
            {"text": "K9", "label": "AA"},
            {"text": "B  b", "label": "CC"},
        ]
    }
    text = json.dumps(value)
    second = text.index("AA", text.index("AA") + 1)
    logprobs = [(c, -9.0 if text[i : i + 2] == "K9" else 0.0) for i, c in enumerate(text)]
    logprobs[second : second + 2] = [("A", -1.0), ("A", -2.0)]
    response = Response("m", text=text, logprobs=tuple(logprobs))
    found = label_probabilities(
        response, spans((0, 2, "AA"), (5, 7, "AA"), (8, 11, "CC"), (0, 2, "DD")), text="K9 u K9 B b"
    )
    # Of equal quotes the first takes the first place; white space does not matter.
    assert found == {
        Item("AA", 0, 2): 1.0,
        Item("AA", 5, 7): pytest.approx(math.exp(-1.5)),
        Item("CC", 8, 11): 1.0,
    }


def test_probability_of_links() -> None:
    value = {"links": [{"text": "K9", "id": "Q1"}, {"text": "L5", "id": None}]}
    response = answered(value, surely={"null": -1.0})
    annotation = spans((0, 2, "PRODUCT", "Q1"), (3, 5, "PRODUCT", NIL))
    found = label_probabilities(response, annotation, text="K9 L5")
    assert found == {Item("Q1", 0, 2): 1.0, Item(NIL, 3, 5): pytest.approx(math.exp(-1))}


def test_votes_and_probabilities_combine() -> None:
    responses = {
        "a": answered({"label": "YES"}, surely={"YES": math.log(0.8)}),
        "b": answered({"label": "YES"}, surely={"YES": math.log(0.4)}),
        "c": Response("m", text='{"label": "NO"}'),
    }
    found = [
        proposal(cats("YES"), response_key="a"),
        proposal(cats("YES"), response_key="b", sample=2),
        proposal(cats("NO"), response_key="c", sample=3),
    ]
    confidence = weigh(found, text="x", responses=responses)
    (yes,) = scored_annotation(found[0], confidence).cats
    assert yes.score == pytest.approx((2 / 3 + 0.6) / 2)
    assert yes.score_source == "votes+logprobs"
    (no,) = scored_annotation(found[2], confidence).cats
    assert (no.score, no.score_source) == (pytest.approx(1 / 3), "votes")
    alone = weigh(found[:1], text="x", responses=responses).score(Item("YES"))
    assert alone == (pytest.approx(0.8), "logprobs")
    assert confidence.score(Item("YES"), relaxed=True)[1] == "relaxed votes+logprobs"


def test_an_answer_that_may_not_vote_gives_no_probability() -> None:
    responses = {"a": answered({"label": "YES"})}
    found = [proposal(cats("YES"), "malformed", response_key="a")]
    assert weigh(found, text="x", responses=responses) == Confidence(Votes(), {})
