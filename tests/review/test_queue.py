"""The queue: who gets which text next, in which mode; nothing twice, nothing lost."""

import hashlib
from collections import Counter
from dataclasses import replace
from typing import Any, Dict, List, Optional, Sequence, Set

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_hitl.records import MODES, QueueText, Scored
from spacy_hitl.review.queue.mix import RECALL_LINE
from spacy_hitl.review.queue.queue import Batch, Queue, QueueSettings
from spacy_hitl.settings import ReviewSettings


def digest_of(i: int) -> str:
    return hashlib.sha256(str(i).encode()).hexdigest()


def make_texts(n: int, *, gold: int = 0, **values: Any) -> List[QueueText]:
    lanes = ["gold"] * gold + ["train"] * (n - gold)
    return [QueueText(digest_of(i), lane, **values) for i, lane in enumerate(lanes)]


def make_queue(texts: Sequence[QueueText], *people: str, **values: Any) -> Queue:
    return Queue(texts, QueueSettings(annotators=people or ("ann",), **values))


def take(queue: Queue, annotator: str = "ann", count: int = 1, action: str = "accept") -> Batch:
    """Get texts and answer them at once."""
    batch = queue.next(annotator, count)
    for turn in batch.turns:
        queue.answered(turn.digest, annotator, action)
    return batch


def drain(queue: Queue, annotator: str = "ann") -> List[str]:
    found: List[str] = []
    while batch := take(queue, annotator, 3).turns:
        found += (turn.digest for turn in batch)
    return found


def score_all(queue: Queue, scores: Dict[str, float], line: str = "routed") -> None:
    while digests := queue.unscored(line):
        queue.add_scores([Scored(d, scores[d], "because") for d in digests if d in scores], line)


# Everybody gets everything once


def test_one_annotator_gets_every_text_once() -> None:
    queue = make_queue(make_texts(50, gold=10))
    found = drain(queue)
    assert sorted(found) == sorted(digest_of(i) for i in range(50))
    assert queue.next("ann", 5) == Batch((), "empty", "Nothing is left for you.")


def test_a_restart_gives_the_same_order_to_what_is_left() -> None:
    texts = make_texts(60, gold=20)
    whole = [t.digest for t in make_queue(texts, gold_share=0.3, seed="7").next("ann", 60).turns]
    first = make_queue(texts, gold_share=0.3, seed="7")
    done = {t.digest for t in take(first, count=25).turns}
    rest = [t._replace(decided_by=frozenset({"ann"})) if t.digest in done else t for t in texts]
    again = make_queue(rest, gold_share=0.3, seed="7")
    left = [t.digest for t in again.next("ann", 60).turns]
    for lane in ("gold", "train"):
        mine = {t.digest for t in texts if t.lane == lane} - done
        assert [d for d in left if d in mine] == [d for d in whole if d in mine]


def test_another_seed_gives_another_order() -> None:
    one, other = (
        [t.digest for t in make_queue(make_texts(40), seed=seed).next("ann", 40).turns]
        for seed in "ab"
    )
    assert one != other
    assert sorted(one) == sorted(other)


def test_the_order_does_not_depend_on_the_order_of_storing() -> None:
    texts = make_texts(40, gold=10)
    one, other = (make_queue(some).next("ann", 40).turns for some in (texts, texts[::-1]))
    assert one == other


# The mix


def count_modes(queue: Queue, n: int) -> "Counter[str]":
    return Counter(t.mode for _ in range(n) for t in take(queue).turns)


def test_shares_are_kept_from_the_start() -> None:
    queue = make_queue(make_texts(400, gold=200), gold_share=0.2, random_share=0.25)
    score_all(queue, {digest_of(i): i for i in range(400)})
    assert count_modes(queue, 50) == {"blind": 10, "random": 10, "routed": 30}


def test_the_share_of_a_line_that_is_over_goes_to_the_others() -> None:
    queue = make_queue(make_texts(100, gold=3), gold_share=0.5, random_share=1.0)
    assert count_modes(queue, 100) == {"blind": 3, "random": 97}


def test_without_a_share_gold_does_not_come_and_is_not_counted() -> None:
    queue = make_queue(make_texts(10, gold=4), gold_share=0.0)
    assert len(drain(queue)) == 6
    progress = queue.progress("ann")
    assert (progress.total, progress.done, progress.left) == (6, 6, 0)
    assert (progress.gold_total, progress.gold_done) == (4, 0)


def test_gold_is_blind_and_nothing_else_is() -> None:
    texts = make_texts(40, gold=20)
    queue = make_queue(texts)
    score_all(queue, {digest_of(i): 1.0 for i in range(40)})
    for turn in queue.next("ann", 40).turns:
        known = queue.text(turn.digest)
        assert known is not None
        assert (turn.mode == "blind") == (known.lane == "gold")
        assert turn.mode in MODES
        assert turn.why


def test_gold_is_never_shown_to_a_router() -> None:
    queue = make_queue(make_texts(40, gold=20), recall_share=0.2)
    for line in ("routed", "recall"):
        found = queue.unscored(line)
        assert {queue.text(d).lane for d in found} == {"train"}  # type: ignore[union-attr]


def test_settings_of_a_config_are_taken_over() -> None:
    review = ReviewSettings(gold_share=0.5, recall_share=0.1, seed=3, overlap=2, pool=9)
    made = QueueSettings.of(review, ["ann", "bo"], label="A")
    assert (made.gold_share, made.recall_share, made.seed, made.label) == (0.5, 0.1, "3", "A")
    assert made.annotators == ("ann", "bo")
    assert sum(made.shares.values()) == pytest.approx(1.0)


# Routed texts


def test_the_highest_score_comes_first() -> None:
    queue = make_queue(make_texts(20), gold_share=0.0, random_share=1e-6)
    score_all(queue, {digest_of(i): float(i % 7) for i in range(20)})
    found = [t for t in queue.next("ann", 20).turns if t.mode == "routed"]
    scores = [int(i) % 7 for t in found for i in range(20) if digest_of(i) == t.digest]
    assert scores == sorted(scores, reverse=True)
    assert {t.why for t in found} == {"because"}


def test_a_router_sees_unusable_answers_first_and_each_text_once() -> None:
    texts = make_texts(500)
    texts[7] = texts[7]._replace(problem="refused")
    queue = make_queue(texts, pool=500)
    first = queue.unscored(limit=10)
    assert first[0] == digest_of(7)
    seen = [*first]
    queue.add_scores([Scored(d, 0.0) for d in first])
    while more := queue.unscored(limit=100):
        seen += more
        queue.add_scores([Scored(d, 0.0) for d in more])
    assert sorted(seen) == sorted(t.digest for t in texts)


def test_the_pool_is_filled_up_again_as_texts_are_decided() -> None:
    queue = make_queue(make_texts(300), gold_share=0.0, random_share=1e-6, pool=100)
    score_all(queue, {digest_of(i): 1.0 for i in range(300)})
    assert not queue.unscored()
    take(queue, count=20)
    assert not queue.unscored()
    take(queue, count=20)
    assert queue.unscored(limit=1000) and len(queue.unscored(limit=1000)) < 100


def test_what_a_router_leaves_out_still_comes() -> None:
    queue = make_queue(make_texts(30), gold_share=0.0, random_share=0.1)
    score_all(queue, {digest_of(0): 5.0})
    assert len(drain(queue)) == 30


def test_scores_given_later_count_for_somebody_who_is_there_already() -> None:
    queue = make_queue(make_texts(30), gold_share=0.0, random_share=1e-6)
    assert take(queue).turns[0].mode == "random"
    score_all(queue, {digest_of(i): float(i) for i in range(30)})
    assert take(queue).turns[0].mode == "routed"


def test_recall_texts_say_what_may_be_missing() -> None:
    settings = {"gold_share": 0.0, "random_share": 0.2, "recall_share": 0.8}
    queue = make_queue(make_texts(10), **settings)
    queue.add_scores([Scored(digest_of(3), 1.0, "'Pro' is labelled elsewhere")], RECALL_LINE)
    turn = take(queue).turns[0]
    assert (turn.digest, turn.mode) == (digest_of(3), "recall")
    assert turn.why == "'Pro' is labelled elsewhere"
    assert len(drain(queue)) == 9


# Several people


def test_nobody_gets_a_text_that_somebody_else_has() -> None:
    queue = make_queue(make_texts(10), "ann", "bo")
    hers = {t.digest for t in queue.next("ann", 6).turns}
    his = queue.next("bo", 10, leased=dict.fromkeys(hers, 1))
    assert hers.isdisjoint(t.digest for t in his.turns)
    assert len(his.turns) == 4
    waiting = queue.next(
        "bo", 5, leased=dict.fromkeys(hers, 1), exclude={t.digest for t in his.turns}
    )
    assert waiting.state == "waiting"


def test_a_lease_that_ran_out_gives_the_text_to_the_next() -> None:
    queue = make_queue(make_texts(1), "ann", "bo")
    (turn,) = queue.next("ann", 1).turns
    assert queue.next("bo", 1, leased={turn.digest: 1}).state == "waiting"
    assert queue.next("bo", 1).turns == (turn,)


def test_what_i_have_is_not_given_to_me_again_until_i_lose_it() -> None:
    queue = make_queue(make_texts(3))
    first = {t.digest for t in queue.next("ann", 2).turns}
    (other,) = queue.next("ann", 5, exclude=first).turns
    assert other.digest not in first
    assert {t.digest for t in queue.next("ann", 5, exclude={other.digest}).turns} == first


def test_overlap_wants_that_many_people_and_each_of_them_once() -> None:
    queue = make_queue(make_texts(9), "ann", "bo", "cy", overlap=2)
    seen: Counter[str] = Counter()
    while any(take(queue, name).turns for name in ("ann", "bo", "cy")):
        pass
    for i in range(9):
        known = queue.text(digest_of(i))
        assert known is not None
        seen[digest_of(i)] = len(known.decided_by)
    assert set(seen.values()) == {2}
    assert queue.progress("ann").done == 9


def test_overlap_counts_texts_that_others_have_before_them() -> None:
    queue = make_queue(make_texts(1), "ann", "bo", "cy", overlap=2)
    (turn,) = queue.next("ann", 1).turns
    assert queue.next("bo", 1, leased={turn.digest: 1}).turns
    assert queue.next("cy", 1, leased={turn.digest: 2}).state == "waiting"


def test_only_a_share_of_the_texts_is_decided_twice() -> None:
    queue = make_queue(make_texts(1000), "ann", "bo", overlap=2, overlap_share=0.3)
    drain(queue, "ann")
    twice = drain(queue, "bo")
    assert 240 < len(twice) < 360  # four standard deviations
    assert len(set(twice)) == len(twice)


# Skips, flags, undo


def test_a_skipped_text_comes_back_at_the_end_and_then_rests() -> None:
    queue = make_queue(make_texts(5))
    (skipped,) = take(queue, action="skip").turns
    assert queue.progress("ann").skipped == 1
    others = [t.digest for t in take(queue, count=4).turns]
    assert skipped.digest not in others
    (back,) = take(queue, action="skip").turns
    assert back.digest == skipped.digest
    assert queue.next("ann", 1).state == "empty"
    assert queue.progress("ann").left == 1


def test_a_text_skipped_in_an_earlier_session_comes_at_the_end() -> None:
    texts = make_texts(5)
    texts[2] = texts[2]._replace(skipped_by=frozenset({"ann"}))
    assert drain(make_queue(texts))[-1] == digest_of(2)


def test_what_one_skips_another_may_decide() -> None:
    queue = make_queue(make_texts(1), "ann", "bo")
    take(queue, "ann", action="skip")
    assert take(queue, "bo").turns
    assert queue.next("ann", 1).state == "empty"


def test_a_skipped_gold_text_stays_blind() -> None:
    queue = make_queue(make_texts(1, gold=1), gold_share=1.0)
    take(queue, action="skip")
    assert take(queue).turns[0].mode == "blind"


def test_what_is_put_aside_does_not_come_back_to_anybody() -> None:
    queue = make_queue(make_texts(2), "ann", "bo", overlap=2)
    (turn,) = take(queue, "ann", action="flag").turns
    assert turn.digest not in drain(queue, "bo") + drain(queue, "ann")
    assert queue.progress("ann").flagged == 1
    known = queue.text(turn.digest)
    assert known is not None
    queue.update(known._replace(flagged=False))
    assert drain(queue, "bo") == [turn.digest]


def test_an_answer_taken_back_opens_the_text_again() -> None:
    queue = make_queue(make_texts(20, gold=5), "ann", "bo")
    first = take(queue, count=10).turns
    before = queue.progress("ann")
    for turn in first[:3]:
        known = queue.text(turn.digest)
        assert known is not None
        queue.update(known._replace(decided_by=frozenset()))
    assert queue.progress("ann").left == before.left + 3
    again = {t.digest for t in queue.next("bo", 20).turns}
    assert {t.digest for t in first[:3]} <= again
    assert len(again) == 13


def test_a_routed_answer_taken_back_comes_as_urgent_as_it_was() -> None:
    queue = make_queue(make_texts(30), gold_share=0.0, random_share=1e-6)
    score_all(queue, {digest_of(i): float(i) for i in range(30)})
    first = take(queue, count=5).turns
    known = queue.text(first[1].digest)
    assert known is not None
    queue.update(known._replace(decided_by=frozenset()))
    assert queue.next("ann", 1).turns == (first[1],)


def test_a_skip_taken_back_no_longer_waits_at_the_end() -> None:
    queue = make_queue(make_texts(3))
    (turn,) = take(queue, action="skip").turns
    known = queue.text(turn.digest)
    assert known is not None
    queue.update(known._replace(skipped_by=frozenset()))
    assert queue.next("ann", 1).turns[0].digest == turn.digest


# The calibration round


def test_everybody_gets_the_same_blind_texts_first() -> None:
    queue = make_queue(make_texts(50, gold=10), "ann", "bo", calibration_texts=5)
    hers = take(queue, "ann", 10).turns
    assert {t.mode for t in hers} == {"calibration"}
    assert {t.digest for t in hers} == set(queue.calibration)
    assert all(queue.text(t.digest).lane == "train" for t in hers)  # type: ignore[union-attr]
    waiting = queue.next("ann", 5)
    assert (waiting.state, waiting.message) == ("calibrating", "Waiting for bo.")
    assert {t.digest for t in take(queue, "bo", 10).turns} == set(queue.calibration)
    assert not queue.calibrating
    assert set(queue.calibration).isdisjoint(t.digest for t in queue.next("ann", 50).turns)


def test_the_queue_opens_at_the_floor() -> None:
    settings = {"calibration_texts": 2, "calibration_floor": 0.8}
    queue = make_queue(make_texts(9), "ann", "bo", **settings)
    for name in ("ann", "bo"):
        take(queue, name, 2)
    for agreement, closed in ((None, True), (0.79, True), (0.8, False)):
        queue.agreement = agreement
        assert queue.calibrating == closed
        assert (queue.next("ann", 1).state == "calibrating") == closed


def test_calibration_texts_stay_the_same_after_a_restart() -> None:
    texts = make_texts(50)
    one = make_queue(texts, "ann", "bo", calibration_texts=5)
    done = [t._replace(decided_by=frozenset({"ann"})) for t in texts[:25]] + texts[25:]
    assert make_queue(done, "bo", "ann", calibration_texts=5).calibration == one.calibration


def test_a_skipped_calibration_text_comes_last() -> None:
    queue = make_queue(make_texts(9), calibration_texts=3)
    (skipped,) = take(queue, action="skip").turns
    assert [t.digest for t in queue.next("ann", 3).turns][-1] == skipped.digest


def test_a_calibration_text_says_so_when_it_is_asked_for() -> None:
    queue = make_queue(make_texts(9), calibration_texts=3)
    (turn,) = queue.next("ann", 1).turns
    assert queue.turn("ann", turn.digest) == turn


# Passes and purposes


def test_a_pass_over_one_label_says_so() -> None:
    queue = make_queue(make_texts(10, gold=4), label="PRODUCT", gold_share=0.5)
    modes = Counter(t.mode for t in queue.next("ann", 10).turns)
    assert modes == {"blind": 4, "one label": 6}
    assert any("PRODUCT" in t.why for t in queue.next("ann", 10).turns)


@pytest.mark.parametrize("purpose, mode", [("adjudicate", "adjudication"), ("compare", "blind")])
def test_other_purposes_take_all_texts_once(purpose: Any, mode: str) -> None:
    queue = make_queue(make_texts(10, gold=4), purpose=purpose, overlap=3, calibration_texts=2)
    turns = take(queue, count=20).turns
    assert len(turns) == 10
    assert {t.mode for t in turns} == {mode}
    assert queue.next("ann", 1).state == "empty"
    assert not queue.unscored()


def test_a_text_known_from_before_has_a_turn_after_a_restart() -> None:
    texts = make_texts(4, gold=1)
    queue = make_queue(texts)
    assert queue.turn("ann", texts[0].digest).mode == "blind"
    assert queue.turn("ann", texts[1].digest).mode == "random"


# Whatever happens, in any order

PEOPLE = ("ann", "bo", "cy")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(PEOPLE),
        st.sampled_from(["next", "accept", "skip", "flag", "undo", "lose", "score"]),
        st.integers(1, 4),
    ),
    max_size=80,
)


class World:
    """What a session would do, and a plain account of it to compare with."""

    def __init__(self, queue: Queue, texts: Sequence[QueueText], overlap: int) -> None:
        self.queue, self.overlap = queue, overlap
        self.decided: Dict[str, Set[str]] = {t.digest: set() for t in texts}
        self.flagged: Set[str] = set()
        self.held: Dict[str, List[str]] = {name: [] for name in PEOPLE}

    def is_open(self, digest: str, name: Optional[str] = None) -> bool:
        decided = self.decided[digest]
        return digest not in self.flagged and name not in decided and len(decided) < self.overlap

    def next(self, name: str, count: int) -> None:
        others = Counter(d for n, held in self.held.items() if n != name for d in held)
        batch = self.queue.next(name, count, leased=others, exclude=self.held[name])
        for turn in batch.turns:
            assert turn.digest not in self.held[name]
            assert self.is_open(turn.digest, name)
            assert len(self.decided[turn.digest]) + others[turn.digest] < self.overlap
            self.held[name].append(turn.digest)

    def answer(self, name: str, action: str) -> None:
        if self.held[name]:
            digest = self.held[name].pop(0)
            self.queue.answered(digest, name, action)
            if action == "flag":
                self.flagged.add(digest)
            elif action == "accept":
                self.decided[digest].add(name)
                self.flagged.discard(digest)

    def undo(self, name: str) -> None:
        mine = sorted(d for d, names in self.decided.items() if name in names)
        if mine:
            self.decided[mine[0]].discard(name)
            known = self.queue.text(mine[0])
            assert known is not None
            self.queue.update(known._replace(decided_by=frozenset(self.decided[mine[0]])))

    def finish(self) -> None:
        """Everybody goes on until nothing is left."""
        for name in PEOPLE:
            self.held[name].clear()
        for _ in range(200):
            for name in PEOPLE:
                self.next(name, 3)
                while self.held[name]:
                    self.answer(name, "accept")

    def check(self) -> None:
        done = sum(len(names) >= self.overlap for names in self.decided.values())
        for name in PEOPLE:
            progress = self.queue.progress(name)
            assert progress.total == len(self.decided)
            assert progress.done == done
            assert progress.flagged == len(self.flagged)
            assert progress.mine == sum(name in names for names in self.decided.values())
            assert progress.left == sum(self.is_open(d, name) for d in self.decided)


@given(STEPS, st.integers(1, 3), st.integers(0, 6))
def test_nothing_is_given_twice_and_nothing_is_lost(steps: Any, overlap: int, gold: int) -> None:
    texts = make_texts(12, gold=gold)
    settings = {"overlap": overlap, "pool": 4, "recall_share": 0.2}
    world = World(make_queue(texts, *PEOPLE, **settings), texts, overlap)
    for name, action, count in steps:
        if action == "next":
            world.next(name, count)
        elif action == "undo":
            world.undo(name)
        elif action == "lose":
            world.held[name].clear()
        elif action == "score":
            for line in ("routed", "recall"):
                digests = world.queue.unscored(line, count)
                world.queue.add_scores([Scored(d, float(count), "x") for d in digests], line)
        else:
            world.answer(name, action)
        world.check()
    world.finish()
    world.check()
    skipped_out = {
        d for d, names in world.decided.items() if d not in world.flagged and len(names) < overlap
    }
    # All that may be left is what people skipped twice.
    for digest in skipped_out:
        known = world.queue.text(digest)
        assert known is not None
        assert known.skipped_by


def test_settings_are_not_shared() -> None:
    one = QueueSettings(gold_share=1.0)
    assert one.shares == {"gold": 1.0, "random": 0.0}
    assert replace(one, gold_share=0.0).shares.keys() == {"routed", "random"}
