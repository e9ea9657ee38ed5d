"""How many keys bring a dataset to the quality of human gold: from scratch, pre-filled, routed.

A simulated reviewer who knows the gold (see effort_reviewer.py for keys and their costs) works on
real texts with an LLM's real answers. Quality is F (exact spans) of *all* texts outside the gold
lane against human gold: a text that nobody opened has what the LLM proposed, or nothing in the arms
from scratch. Gold texts are blind, never part of the measured quality, and their keys count in
every arm. Lanes, queue, routers, recall, propagation are the product's, with its defaults.

Arms, declared before the final seeds were run. Each is run as it is; with "elsewhere": the words
of a correction are looked at in other places, as the page offers it; and with "recall", too: a
tenth of the texts is chosen for what may be missing.
- scratch: nothing is pre-filled, random order.
- random: pre-filled, random order.
- disagreement: routed by how much the LLM and a student differ. Students are cross-fitted, trained
  when the session starts and again after 100 and 200 answers (half as many seeds: slow).
- expected: routed by expected corrections, no score known: the most suggestions first.
- uncertainty, stated: routed by the least certain span, by the confidence the LLM stated.
- expected, stated: routed by expected corrections, by the confidence the LLM stated.
The same LLM answers stand behind all arms. The product never asks a model how sure it is; scores
can be imported with proposals. That is why the last two are told apart.

The router of expected corrections was found on one half of the texts (`--half 0`); its numbers, and
the shares of this file, were fixed on seeds from 100 of all texts. The figures come from seeds from
0, on all texts; the last line also has them for the other half alone.

usage: python benchmarks/effort.py DATA [--quick] [--seeds N] [--jobs N]
DATA is a folder with train.jsonl: {"text", "gold": {"ents"}, "llm": {"ents", "raw", "confidence"}}.
One JSON line per arm and seed; the last line is JSON with `actions_ratio` and the mean curves.
"""

import os

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "BLIS_NUM_THREADS"):
    os.environ[_name] = "1"  # before numpy is imported: students share two cores

import argparse
import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

from effort_figures import STEPS, TARGET, mean_curves, reach, summarise, thin
from effort_page import LINE
from effort_session import Point, Session
from effort_students import cross_fit
from effort_texts import NAME, Text, in_half, read_texts, without_confidence

from spacy_hitl.records import GOLD
from spacy_hitl.review.queue.expected import make_expected_corrections
from spacy_hitl.review.queue.mix import RECALL_LINE, ROUTED_LINE
from spacy_hitl.review.queue.queue import QueueSettings
from spacy_hitl.review.queue.recall import Recall, by_recall
from spacy_hitl.review.queue.routers import (
    make_disagreement,
    make_uncertainty,
    run_router,
)
from spacy_hitl.ty import Router

ROUND = 50  # answers after which a session is opened anew: recall and students have learned since
TRAIN_AT = (0, 100, 200)  # answers after which students are trained
RECALL_SHARE = 0.1  # in the arms with passes


@dataclass(frozen=True)
class Arm:
    """A way to work. elsewhere: carry corrections over. recall: look for what is missing."""

    name: str
    router: Optional[Router] = None
    prefill: bool = True
    stated: bool = False
    students: bool = False
    elsewhere: bool = False
    recall: bool = False


_PLAIN = (
    Arm("scratch", prefill=False),
    Arm("random"),
    Arm("disagreement", make_disagreement(), students=True),
    Arm("expected", make_expected_corrections()),
    Arm("uncertainty, stated", make_uncertainty(), stated=True),
    Arm("expected, stated", make_expected_corrections(), stated=True),
)
ARMS = {
    arm.name: arm
    for plain in _PLAIN
    for arm in (
        plain,
        replace(plain, name=f"{plain.name}, elsewhere", elsewhere=True),
        replace(plain, name=f"{plain.name}, elsewhere, recall", elsewhere=True, recall=True),
    )
}


@dataclass(frozen=True)
class Plan:
    """What is run. half: 0 or 1, or None for all texts."""

    data: Path
    arm: str
    seed: int
    half: Optional[int]
    limit: Optional[int]
    line: int
    epochs: int
    folds: int = 2


def simulate(plan: Plan) -> Tuple[Plan, List[Point]]:
    """Run one arm once, up to the highest step of quality or the last text.

    plan (Plan): What to run.
    RETURNS (Tuple[Plan, List[Point]]): The plan, and quality over effort.
    """
    arm = ARMS[plan.arm]
    task, texts = read_texts(plan.data / "train.jsonl", line=plan.line)
    chosen = [t for t in texts if plan.half is None or in_half(t, plan.half)][: plan.limit]
    session = Session(
        task=task,
        texts={t.digest: _as_known(t, arm) for t in chosen},
        lanes={t.digest: t.lane(salt=f"effort {plan.seed}") for t in chosen},
        settings=QueueSettings(
            seed=str(plan.seed),
            random_share=0.2 if arm.router else 1 - RECALL_SHARE * arm.recall,
            recall_share=RECALL_SHARE * arm.recall,
        ),
        prefill=arm.prefill,
        spread=arm.elsewhere,
    )
    while session.point().f < STEPS[-1]:
        if session.screens % ROUND == 0:
            _prepare(session, arm, plan)
        if not session.step():
            break
    return plan, session.curve


def _as_known(text: Text, arm: Arm) -> Text:
    if arm.stated:
        return text
    return replace(text, proposal=without_confidence(text.proposal))


def _prepare(session: Session, arm: Arm, plan: Plan) -> None:
    if arm.students and session.screens in TRAIN_AT:
        rows = list(session.rows())
        session.students = cross_fit(
            session.header, rows, seed=plan.seed, folds=plan.folds, epochs=plan.epochs
        )
    session.open_queue()
    queue = session.queue
    while arm.router and (digests := queue.unscored(ROUTED_LINE, limit=len(session.texts))):
        queue.add_scores(run_router(arm.router, session.candidates(digests)), ROUTED_LINE)
    recall = Recall()
    for digest in session.whole if arm.recall else ():
        if session.lanes[digest] != GOLD:
            recall.learn(session.texts[digest].text, session.annotation(digest))
    while arm.recall and (digests := queue.unscored(RECALL_LINE, limit=len(session.texts))):
        queue.add_scores(by_recall(session.candidates(digests), {NAME: recall}), RECALL_LINE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--quick", action="store_true", help="fewer texts and seeds: minutes")
    parser.add_argument("--seeds", type=int, default=10, help="how many (with students: half)")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--half", type=int, choices=(0, 1), help="one half of the texts only")
    parser.add_argument("--line", type=int, default=LINE, help="characters on a line of the page")
    parser.add_argument("--arms", nargs="+", choices=list(ARMS), default=list(ARMS))
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    seeds = range(options.first_seed, options.first_seed + (2 if options.quick else options.seeds))
    limit = 400 if options.quick else None
    arms = list(dict.fromkeys(["scratch", *options.arms]))
    plans = [
        Plan(
            data=options.data,
            arm=arm,
            seed=seed,
            half=options.half,
            limit=limit,
            line=options.line,
            epochs=3 if options.quick else 6,
        )
        for arm in arms
        for seed in seeds[: (len(seeds) + 1) // 2 if ARMS[arm].students else len(seeds)]
    ]
    others = []
    if options.half is None and not options.quick:
        others = [replace(p, half=1) for p in plans if not ARMS[p.arm].students]
    # The slow ones first, so that no core waits for them at the end.
    order = sorted((*plans, *others), key=lambda plan: not ARMS[plan.arm].students)
    found: Dict[Plan, List[Point]] = {}
    with ProcessPoolExecutor(options.jobs) as pool:
        for plan, curve in pool.map(simulate, order):
            found[plan] = curve
            end = reach(curve, TARGET)
            line = {
                "arm": plan.arm,
                "seed": plan.seed,
                "half": plan.half,
                "keys": end and end.keys,
                "screens": end and end.screens,
                "curve": thin(curve),
            }
            print(json.dumps(line), flush=True)
    print(json.dumps(_last_line(found, plans, others, arms)))


def best_of(table: Dict[str, Any], *, stated: bool) -> str:
    """RETURNS (str): The arm with the fewest keys; without stated confidence unless wanted."""
    arms = [a for a, row in table.items() if row and (stated or not ARMS[a].stated)]
    return min(arms, key=lambda arm: table[arm]["keys"])


def _last_line(
    found: Dict[Plan, List[Point]],
    plans: Sequence[Plan],
    others: Sequence[Plan],
    arms: Sequence[str],
) -> Dict[str, Any]:
    curves = {arm: [found[p] for p in plans if p.arm == arm] for arm in arms}
    table = summarise(curves)
    best, plain = (best_of(table, stated=stated) for stated in (True, False))
    half = {arm: [found[p] for p in others if p.arm == arm] for arm in arms}
    other = summarise({arm: runs for arm, runs in half.items() if runs}) if others else {}
    return {
        "actions_ratio": table[best]["keys_ratio"][0],
        "actions_ratio_interval": table[best]["keys_ratio"][1:],
        "best_arm": best,
        "actions_ratio_without_scores": table[plain]["keys_ratio"],
        "best_arm_without_scores": plain,
        "target": TARGET,
        "seeds": sorted({p.seed for p in plans}),
        "arms": table,
        "other_half_ratio": {arm: row and row["keys_ratio"] for arm, row in other.items()},
        "steps": STEPS,
        "curves": mean_curves(curves),
    }


if __name__ == "__main__":
    main()
