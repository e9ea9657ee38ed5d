"""Who votes, what a share is, and what is written into an annotation."""

import json
import math
from typing import Any, Callable, Dict, List, Optional, Set, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_hitl.records import (
    NIL,
    STATUSES,
    Annotation,
    CategoryAnnotation,
    Proposal,
    RelationAnnotation,
    Response,
    SpanAnnotation,
)
from spacy_hitl.scoring.confidence import (
    VOTING,
    Confidence,
    Votes,
    count_votes,
    scored_annotation,
    weigh,
)
from spacy_hitl.scoring.items import Item, items_of
from spacy_hitl.scoring.logprobs import label_probabilities


def spans(*found: Tuple[Any, ...]) -> Annotation:
    return Annotation(spans=tuple(SpanAnnotation(*one) for one in found))


def cats(*labels: str) -> Annotation:
    return Annotation(cats=tuple(CategoryAnnotation(label) for label in labels))


def relations(*found: Tuple[Any, ...]) -> Annotation:
    return Annotation(relations=tuple(RelationAnnotation(*one) for one in found))


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


def test_shares_of_relations() -> None:
    better = (0, 3, 8, 11, "BETTER")
    votes = count_votes(
        [
            proposal(relations(better, (8, 11, 20, 23, "WORSE"))),
            proposal(relations((0, 3, 8, 14, "BETTER"))),
            proposal(relations((8, 11, 0, 3, "BETTER"))),  # the other way round
            proposal(relations((0, 3, 11, 14, "BETTER"))),  # another tail
        ]
    )
    (item,) = items_of(relations(better))
    assert item == Item("BETTER", 0, 3, 8, 11)
    assert votes.share(item) == 0.25
    assert votes.share(item, relaxed=True) == 0.5
    assert votes.share(Item("WORSE", 8, 11, 20, 23), relaxed=True) == 0.25
    assert votes.share(Item("BETTER", 0, 3), relaxed=True) == 0, "a span is no relation"
    scored = scored_annotation(proposal(relations(better)), Confidence(votes))
    assert scored == relations((*better, 0.25, "votes"))


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
ends = st.sampled_from([(0, 2), (1, 3), (2, 4), (5, 6)])
some_relations = st.builds(lambda a, b, label: (*a, *b, label), ends, ends, st.sampled_from("AB"))
some_annotations = st.builds(
    lambda found, related: Annotation(
        spans=spans(*found).spans, relations=relations(*related).relations
    ),
    st.lists(some_spans, max_size=4),
    st.lists(some_relations, max_size=4),
)
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
        count = sum(item in said_by(p.annotation) for p in voting)
        assert share == count / len(voting) > 0
        near = sum(any(map(item_overlaps(item), said_by(p.annotation))) for p in voting)
        assert relaxed == near / len(voting) >= share


def said_by(annotation: Annotation) -> Set[Item]:
    """What an annotation says, written out by hand."""
    found = {Item(s.label, s.start, s.end) for s in annotation.spans}
    for r in annotation.relations:
        found.add(Item(r.label, r.head_start, r.head_end, r.tail_start, r.tail_end))
    return found


def item_overlaps(one: Item) -> Callable[[Item], bool]:
    """Same label, a character in common at each end; spans have one end, relations two."""

    def characters(item: Item) -> Tuple[Set[int], Set[int]]:
        return (
            set(range(item.start, item.end)),
            set(range(item.tail_start, item.tail_end)),
        )

    def check(other: Item) -> bool:
        (head, tail), (head_, tail_) = characters(one), characters(other)
        if one.name != other.name or not head & head_ or bool(tail) != bool(tail_):
            return False
        return not tail or bool(tail & tail_)

    return check


@given(st.lists(some_proposals, min_size=1, max_size=5))
def test_scores_change_nothing_else(found: List[Proposal]) -> None:
    confidence = weigh(found)
    for p in found:
        scored = scored_annotation(p, confidence)
        assert items_of(scored) == items_of(p.annotation)
        assert len(scored.spans) == len(p.annotation.spans)
        assert len(scored.relations) == len(p.annotation.relations)
        for s in (*scored.spans, *scored.relations):
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


def test_probability_of_relations() -> None:
    value = {
        "relations": [
            {"head": 0, "label": "AA", "tail": 8},
            {"head": 8, "label": "BB", "tail": 0},
            {"head": 0, "label": "CC", "tail": 99},
        ]
    }
    response = answered(value, surely={"AA": -0.5, "BB": -1.0, "CC": -2.0})
    annotation = relations((0, 3, 8, 11, "AA"), (8, 11, 0, 3, "BB"), (0, 3, 8, 11, "CC"))
    assert label_probabilities(response, annotation, text="x") == {
        Item("AA", 0, 3, 8, 11): pytest.approx(math.exp(-0.5)),
        Item("BB", 8, 11, 0, 3): pytest.approx(math.exp(-1)),
    }


def test_of_a_joint_answer_only_the_part_of_the_task_counts() -> None:
    value = {
        "one": {"entities": [{"text": "K9", "label": "A1"}]},
        "two": {"labels": ["YES"]},
        "three": {"phrases": [{"text": "K9", "label": "A3"}], "label": "YE"},
    }
    response = answered(value, surely={"A1": -1.0, "YES": -2.0, "A3": -3.0})
    span, other = spans((0, 2, "A1")), spans((0, 2, "A3"))
    found = [
        label_probabilities(response, annotation, text="K9", task=task)
        for task, annotation in [("one", span), ("one", other), ("two", cats("YES"))]
    ]
    assert found == [
        {Item("A1", 0, 2): pytest.approx(math.exp(-1))},
        {},
        {Item("YES"): pytest.approx(math.exp(-2))},
    ]
    assert label_probabilities(response, cats("YES"), text="K9", task="three") == {}
    # A task may be called like the field of its answer.
    alone = answered({"two": [{"text": "K9", "label": "A1"}]})
    assert label_probabilities(alone, span, text="K9", task="two") == {Item("A1", 0, 2): 1.0}


def test_what_is_known_stays_where_nothing_else_is() -> None:
    own = spans((0, 3, "A", None, 0.3, "my own"))
    assert scored_annotation(proposal(own), weigh([proposal(own)])) == own
    votes = weigh([proposal(own), proposal(own, sample=2)])
    assert scored_annotation(proposal(own), votes) == spans((0, 3, "A", None, 1.0, "votes"))


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
