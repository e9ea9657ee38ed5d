"""Routers: what is doubtful comes first, and the sentence says why."""

import math
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacy.util import registry

from spacy_hitl.dataset.candidates import read_candidates
from spacy_hitl.dataset.store import Dataset
from spacy_hitl.io import text_digest
from spacy_hitl.records import (
    Annotation,
    Candidate,
    CategoryAnnotation,
    Problem,
    Proposal,
    RelationAnnotation,
    Row,
    Scored,
    SpanAnnotation,
)
from spacy_hitl.review.queue.routers import (
    make_disagreement,
    make_diverse,
    make_random,
    make_uncertainty,
    name_item,
    resolve_router,
    run_router,
    vote_entropy,
)
from spacy_hitl.scoring.items import Item
from spacy_hitl.settings import LaneSettings

TEXT = "Buy the nebula or the Pro"
NEBULA, PRO = SpanAnnotation(8, 14, "PRODUCT"), SpanAnnotation(22, 25, "PRODUCT")


def proposal(*items: Any, status: str = "", source: str = "m", **values: Any) -> Proposal:
    spans = tuple(i for i in items if isinstance(i, SpanAnnotation))
    cats = tuple(CategoryAnnotation(i) for i in items if isinstance(i, str))
    relations = tuple(i for i in items if isinstance(i, RelationAnnotation))
    status = status or ("ok" if items else "empty")
    annotation = Annotation(spans, cats, relations)
    return Proposal("d", "product", source, status, "t", annotation, **values)


def candidate(*samples: Proposal, others: Sequence[Proposal] = (), text: str = TEXT) -> Candidate:
    return Candidate(text_digest(text), text, {"product": samples}, {"product": tuple(others)})


def ask(router: Any, *candidates: Candidate) -> Tuple[Scored, ...]:
    return tuple(run_router(router, candidates))


# Disagreement


def test_entropy_is_one_bit_at_half_and_nothing_where_all_agree() -> None:
    a, b = frozenset({Item("A")}), frozenset({Item("A"), Item("B")})
    assert vote_entropy([a, b]) == {Item("A"): 0.0, Item("B"): 1.0}
    quarter = vote_entropy([b, a, a, a])[Item("B")]
    assert quarter == pytest.approx(0.811278, abs=1e-6)


@given(st.lists(st.frozensets(st.sampled_from("ABC")), min_size=1, max_size=6))
def test_entropy_stays_in_its_bounds(ballots: List[Any]) -> None:
    found = vote_entropy([frozenset(map(Item, b)) for b in ballots])
    for item, bits in found.items():
        have = sum(item.name in b for b in ballots)
        assert 0 <= bits <= 1
        assert (bits == 0) == (have == len(ballots))


def test_the_most_disputed_text_comes_first_and_is_explained() -> None:
    agreed = candidate(proposal(NEBULA), proposal(NEBULA), text=TEXT + " now")
    two = candidate(proposal(NEBULA, PRO), proposal())
    one = candidate(proposal(NEBULA), proposal(), text=TEXT + "!")
    scores = {s.digest: s for s in ask(make_disagreement(), agreed, two, one)}
    assert scores[two.digest].score == 2.0 > scores[one.digest].score == 1.0
    assert scores[one.digest].why == "two answers disagree about 'nebula' (PRODUCT)"
    assert (scores[agreed.digest].score, scores[agreed.digest].why) == (0.0, "all answers agree")


def test_more_than_two_answers_are_counted() -> None:
    (found,) = ask(make_disagreement(), candidate(proposal(PRO), proposal(PRO), proposal()))
    assert found.why == "2 of 3 answers have 'Pro' (PRODUCT)"


def test_other_sources_vote_too() -> None:
    student = proposal(PRO, source="student")
    (found,) = ask(make_disagreement(), candidate(proposal(), others=[student]))
    assert found.score == 1.0
    assert "'Pro'" in found.why


def test_answers_that_say_nothing_do_not_vote() -> None:
    refused = proposal(status="refused")
    (found,) = ask(make_disagreement(), candidate(proposal(PRO), refused))
    assert (found.score, found.why) == (0.0, "only one answer is known")


@pytest.mark.parametrize("make", [make_disagreement, make_uncertainty])
@pytest.mark.parametrize(
    "status, words",
    [
        ("refused", "the model refused"),
        ("malformed", "can't be read"),
        ("truncated", "cut off"),
        ("failed", "the model failed"),
        ("unaligned", "not in the text: 'K99'"),
    ],
)
def test_unusable_answers_come_before_all_others(make: Any, status: str, words: str) -> None:
    problems = (Problem("not_found", "K99"),)
    bad = candidate(proposal(status=status, problems=problems), text="x")
    disputed = candidate(proposal(NEBULA, PRO), proposal(), proposal(), proposal(PRO))
    first, second = ask(make(), bad, disputed)
    assert first.score > second.score
    assert words in first.why


def test_a_text_without_proposals_says_so() -> None:
    (found,) = ask(make_disagreement(), candidate())
    assert found.why == "nothing was proposed"


# Uncertainty


def test_the_lowest_score_counts_and_is_named() -> None:
    sure = SpanAnnotation(8, 14, "PRODUCT", score=0.9, score_source="calibrated votes")
    doubt = SpanAnnotation(22, 25, "PRODUCT", score=0.3, score_source="calibrated votes")
    both, one = candidate(proposal(sure, doubt)), candidate(proposal(sure), text=TEXT + "!")
    scores = {s.digest: s for s in ask(make_uncertainty(), both, one)}
    assert scores[both.digest].score == pytest.approx(0.7)
    assert scores[both.digest].why == "'Pro' (PRODUCT) has the score 0.30"
    assert scores[one.digest].score == pytest.approx(0.1)


def test_without_scores_the_samples_vote() -> None:
    (found,) = ask(
        make_uncertainty(), candidate(proposal(PRO), proposal(PRO), proposal(), proposal(PRO))
    )
    assert found.score == pytest.approx(0.25)


def test_what_the_shown_answer_leaves_out_is_doubtful() -> None:
    (found,) = ask(make_uncertainty(), candidate(proposal(), proposal(PRO), proposal(PRO)))
    assert found.score == pytest.approx(2 / 3)
    assert found.why == "'Pro' (PRODUCT) is missing here, but not in other answers"


# Random and diverse


def test_random_scores_depend_on_seed_and_text_only() -> None:
    some = [candidate(text=f"text {i}") for i in range(20)]
    one, again = ask(make_random(1), *some), ask(make_random(1), *some[::-1])
    assert sorted(one, key=lambda s: s.digest) == sorted(again, key=lambda s: s.digest)
    assert [s.score for s in one] != [s.score for s in ask(make_random(2), *some)]


def test_diverse_puts_near_copies_last() -> None:
    texts = ["the red phone", "the red phone indeed", "cats sleep a lot", "rain over hills"]
    found = sorted(ask(make_diverse(), *(candidate(text=t) for t in texts)), key=lambda s: -s.score)
    last = next(t for t in texts if text_digest(t) == found[-1].digest)
    assert last in texts[:2]
    assert len({s.score for s in found}) == 4


def test_every_text_of_a_large_pool_is_scored_once() -> None:
    some = [candidate(text=f"text {i} {i % 7}") for i in range(260)]
    found = ask(make_diverse(), *some)
    assert {s.digest for s in found} == {c.digest for c in some}
    assert len(found) == 260


# In words


def test_items_of_every_kind_are_named() -> None:
    assert name_item(Item("RELEVANT"), TEXT) == "RELEVANT"
    assert name_item(Item("P1", 8, 14), TEXT) == "'nebula' (P1)"
    assert name_item(Item("LIKES", 8, 14, 22, 25), TEXT) == "'nebula' and 'Pro' (LIKES)"
    long = "x" * 100
    assert len(name_item(Item("A", 0, 100), long)) < 60


# Routers of a config, and of users


@pytest.mark.parametrize(
    "block", [None, {"@misc": "spacy-hitl.Uncertainty.v1"}, {"@misc": "spacy-hitl.Diverse.v1"}]
)
def test_routers_are_found_by_name(block: Any) -> None:
    assert ask(resolve_router(block), candidate(proposal(PRO)))


def test_a_router_takes_its_arguments_from_the_config() -> None:
    router = resolve_router({"@misc": "spacy-hitl.Random.v1", "seed": 5})
    assert ask(router, candidate()) == ask(make_random(5), candidate())


@pytest.mark.parametrize(
    "block",
    [
        {"@misc": "spacy-hitl.NoSuch.v1"},
        {"@misc": "spacy-hitl.Random.v1", "sead": 5},
        {"@misc": "spacy-hitl.Random.v1", "seed": "x"},
        {},
        {"router": 3},
    ],
)
def test_a_router_that_is_none_is_refused(block: Dict[str, Any], fails: Any) -> None:
    with fails("H220"):
        resolve_router(block)


def test_a_plain_function_is_a_router() -> None:
    def longest(candidates: Sequence[Candidate]) -> List[Scored]:
        return [Scored(c.digest, len(c.text), "it is long") for c in candidates]

    @registry.misc("test.Longest.v1")
    def make_longest() -> Any:
        return longest

    (found,) = ask(resolve_router({"@misc": "test.Longest.v1"}), candidate())
    assert (found.score, found.why) == (25, "it is long")


@pytest.mark.parametrize(
    "answer, words",
    [
        (lambda cs: [1], "int"),
        (lambda cs: [Scored("elsewhere", 1.0)], "not given"),
        (lambda cs: [Scored(cs[0].digest, math.nan)], "nan"),
        (lambda cs: [Scored(cs[0].digest, "high")], "'high'"),
        (lambda cs: 1 / 0, "ZeroDivisionError"),
        (lambda cs: None, "TypeError"),
    ],
)
def test_a_router_that_answers_nonsense_is_named(answer: Any, words: str, fails: Any) -> None:
    with fails("H221", words):
        run_router(answer, [candidate()])


def test_a_router_may_leave_texts_out() -> None:
    assert ask(lambda cs: [], candidate()) == ()


# What routers see


@pytest.fixture
def dataset(tmp_path: Path) -> Any:
    rows = [Row("f", str(i), f"text {i}", "gold" if i == 0 else "train") for i in range(1200)]
    with Dataset(tmp_path / "x.db") as found:
        found.add_rows(rows, LaneSettings())
        yield found


def stored(i: int, source: str, sample: int, task_digest: str) -> Proposal:
    digest = text_digest(f"text {i}")
    return Proposal(digest, "product", source, "ok", task_digest, sample=sample)


def test_the_shown_answer_comes_first_and_other_sources_apart(dataset: Dataset) -> None:
    shown, other, student = (
        stored(1, "m", 2, "now"),
        stored(1, "m", 1, "now"),
        stored(1, "s", 1, "now"),
    )
    older, foreign = stored(1, "m", 1, "before"), stored(1, "m", 1, "long ago")
    dataset.add_proposals([other, shown, student, older, foreign])
    keys = {"product": ("m", 2, "now")}
    (found,) = read_candidates(
        dataset, [text_digest("text 1")], keys, alike={"product": ["before", "now"]}
    )
    assert found.text == "text 1"
    assert found.samples["product"] == (shown, other)
    assert set(found.others["product"]) == {student, older}


def test_many_texts_are_read_in_the_order_asked_for(dataset: Dataset) -> None:
    digests = [text_digest(f"text {i}") for i in range(1199, 0, -1)]
    keys = {"product": ("m", 1, "now")}
    found = read_candidates(dataset, [*digests, "not stored"], keys, alike={})
    assert [c.digest for c in found] == digests


def test_gold_is_refused(dataset: Dataset, fails: Any) -> None:
    with fails("H056"):
        read_candidates(dataset, [text_digest("text 0")], {}, alike={})
