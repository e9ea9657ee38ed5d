"""The effort benchmark on a few made-up texts: who sees what, and what is counted."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parent.parent.parent / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))
from effort import ARMS, Plan, Point, reach, simulate, summarise  # noqa: E402
from effort_session import Session  # noqa: E402
from effort_texts import in_half, read_texts, without_confidence  # noqa: E402

from spacy_hitl.records import GOLD  # noqa: E402
from spacy_hitl.review.queue.queue import QueueSettings  # noqa: E402

BRANDS = ("Kestrel", "Lumen", "Orion", "Nebula", "Tern")
FILLERS = ("coat", "boots", "shirt", "store", "today", "fit", "small", "Target")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Every fourth text is wrong: the LLM takes the shop "Target" for a brand."""
    folder = tmp_path_factory.mktemp("data")
    draw = random.Random(0)
    rows = []
    for i in range(120):
        words = [draw.choice(FILLERS[:-1]) for _ in range(8)] + [f"n{i}."]
        ents = []
        if i % 2:
            words[3] = draw.choice(BRANDS)
        if i % 4 == 1:
            words[6] = "Target"
        text = " ".join(words)
        for word in words:
            if word in BRANDS:
                ents.append([text.index(word), text.index(word) + len(word), "BRAND"])
        found = [*ents]
        if "Target" in words:
            found.append([text.index("Target"), text.index("Target") + 6, "BRAND"])
        raw = {"entities": [{"text": text[s:e], "label": n} for s, e, n in found]}
        confidence = [0.3 if text[s:e] == "Target" else 0.95 for s, e, _ in found]
        llm = {"ents": found, "raw": json.dumps(raw), "confidence": confidence}
        rows.append({"id": f"t{i}", "text": text, "gold": {"ents": ents}, "llm": llm})
    (folder / "train.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    return folder


def plan(data, arm, **values):
    options = {"seed": 1, "half": None, "limit": None, "line": 80, "epochs": 1, **values}
    return Plan(data=data, arm=arm, **options)


def open_session(data, *, prefill=True, spread=True):
    task, texts = read_texts(data / "train.jsonl", line=80)
    lanes = {t.digest: t.lane(salt="effort 1") for t in texts}
    known = {t.digest: t for t in texts}
    return Session(task, known, lanes, QueueSettings(seed="1"), prefill=prefill, spread=spread)


@pytest.mark.parametrize("arm", [name for name, arm in ARMS.items() if not arm.students])
def test_every_arm_ends_in_gold(data, arm):
    _, curve = simulate(plan(data, arm))
    assert curve[-1].f >= 0.99
    assert (curve[0].f == 0) == arm.startswith("scratch")
    keys = [p.keys for p in curve]
    assert keys == sorted(keys) and keys[0] == 0
    assert simulate(plan(data, arm))[1] == curve  # a seed gives the same again


def test_pre_filled_texts_take_fewer_keys_and_routed_ones_fewest(data):
    ends = {
        a: reach(simulate(plan(data, a))[1], 0.97).keys
        for a in ARMS
        if "random" not in a and not ARMS[a].students
    }
    assert ends["expected, stated"] < ends["scratch"] / 2
    assert ends["expected, stated, elsewhere"] < ends["expected, stated"]


def test_gold_texts_are_blind_and_not_measured(data):
    session = open_session(data)
    gold = [d for d, lane in session.lanes.items() if lane == GOLD]
    assert gold and not set(gold) & set(session.trained)
    for digest in gold:
        assert not session.shown(digest).annotation.spans
    asked = session.queue.unscored("routed", limit=1000)
    assert asked and not set(asked) & set(gold)
    before = session.point().f
    while session.step():
        last = session.decisions
    assert session.point().f == 1.0 > before
    for digest in gold:
        assert [d.saw_proposal for d in last[digest]] == [None]
        assert {d.mode for d in last[digest]} == {"blind"}


def test_a_correction_is_carried_over_where_gold_agrees(data):
    session = open_session(data)
    while not any(d.mode == "propagated" for some in session.decisions.values() for d in some):
        assert session.step()
    spread = [d for some in session.decisions.values() for d in some if d.mode == "propagated"]
    assert len({d.uid for d in spread}) == 1
    for d in spread:
        assert session.lanes[d.text_digest] != GOLD
        kept = session.annotation(d.text_digest).spans
        words = {session.texts[d.text_digest].text[s.start : s.end] for s in kept}
        assert "Target" not in words


def test_without_proposals_the_dataset_starts_empty(data):
    session = open_session(data, prefill=False, spread=False)
    assert session.point().f == 0
    assert all(not c.samples for c in session.candidates(session.trained))


def test_confidence_can_be_taken_away(data):
    _, texts = read_texts(data / "train.jsonl", line=80)
    scores = {s.score for t in texts for s in t.proposal.annotation.spans}
    assert scores == {0.3, 0.95}
    bare = [without_confidence(t.proposal) for t in texts]
    assert {s.score for p in bare for s in p.annotation.spans} == {None}
    halves = [sum(in_half(t, half) for t in texts) for half in (0, 1)]
    assert sum(halves) == len(texts) and min(halves) > 0


def test_ratios_are_of_means_over_the_same_seeds():
    def curve(keys):
        return [Point(0, 0.5, 0, 0, 0), Point(keys, 0.98, keys // 2, 100, keys // 2)]

    table = summarise({"scratch": [curve(100), curve(300)], "random": [curve(50)]})
    assert table["random"]["keys_ratio"] == [2.0, 2.0, 2.0]
    assert table["scratch"]["keys"] == 200
    never = summarise({"scratch": [curve(100)], "random": [[Point(9, 0.9, 9, 9, 9)]]})
    assert never["random"] is None


def test_the_program_prints_one_line_of_json_at_the_end(data):
    command = [sys.executable, str(BENCHMARKS / "effort.py"), str(data), "--quick"]
    arms = ["--arms", "disagreement", "expected, stated, elsewhere"]
    done = subprocess.run([*command, *arms], capture_output=True, text=True, check=True)
    *lines, last = map(json.loads, done.stdout.splitlines())
    assert len(lines) == 5  # with students, half of the two seeds
    assert last["best_arm"] in ("disagreement", "expected, stated, elsewhere")
    assert last["actions_ratio"] > 1
    assert last["curves"]["scratch"][-1] > last["curves"]["expected, stated, elsewhere"][-1]
