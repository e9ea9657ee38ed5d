"""Choose when a cascade asks: by a budget, or by the error that the student may make alone."""

from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np
from confection import Config
from spacy.language import Language
from spacy.tokens import Doc

from ..dataset.corpus import iter_decided, read_training_corpus
from ..errors import Errors, InputError
from ..pipeline.cascade.confidence import Confidence
from ..pipeline.hitl_llm import PromptedTask
from ..pipeline.loading import load_prompted, load_trained, prompted_tasks, threshold_of
from ..records import DEV, NOTHING, TRAIN, TaskHeader, TaskRow
from ..scoring import intervals
from ..scoring.cascade import (
    MIN_KEPT,
    CascadePlan,
    Judged,
    calibrated,
    curve,
    fit_points,
    point,
    share_bounds,
    threshold_for,
    threshold_of_error,
)
from ..scoring.results import main_score
from ..scoring.scores import MIN_DECIDED
from ..settings import Settings
from ..tasks.reference import compare, get_annotation

BATCH = 64


def plan_cascade(
    config: Path,
    task: str,
    *,
    budget: Optional[float] = None,
    max_error: Optional[float] = None,
    student: Optional[Path] = None,
    audit_share: float = 0.0,
    min_decided: int = MIN_DECIDED,
) -> Tuple[CascadePlan, Config]:
    """Choose the threshold of a cascade on decided texts of lane dev; of lane train if dev has too
    few. Gold is never read.

    config (Path): Config of the prompted pipeline.
    task (str): The task.
    budget (Optional[float]): Share of the texts to ask about.
    max_error (Optional[float]): Share of wrong ones among the texts left to the student; a text is
        wrong if anything in it is. One of the two is given.
    student (Optional[Path]): The trained pipeline; the one in [hitl] training if not given.
    audit_share (float): Share of texts to ask about anyway; for the config.
    min_decided (int): Fewer decided texts are too few.
    RETURNS (Tuple[CascadePlan, Config]): What was found, and a config for `spacy assemble`: the
        student and the cascade.
    RAISES (InputError): If there are too few decided texts, the student can't be asked how sure it
        is, or no threshold will do.
    """
    given = [v for v in (budget, max_error) if v is not None]
    if len(given) != 1 or not 0 <= given[0] <= 1:
        raise InputError(Errors.H564)
    nlp, settings = load_prompted(config)
    prompted = prompted_tasks(nlp)
    if task not in prompted:
        raise InputError(Errors.H130.format(path=config, task=task, known=", ".join(prompted)))
    path = settings.training / task / "model-best" if student is None else student
    trained = load_trained(path)
    if task not in trained.pipe_names:
        pipeline = ", ".join(trained.pipe_names)
        raise InputError(Errors.H401.format(path=path, task=task, pipeline=pipeline))
    header, rows = read_training_corpus(settings.corpus / f"{task}.jsonl", task)
    lane, decided = _decided(rows, min_decided, task=task, path=settings.corpus)
    judged = judge_rows(trained, header, decided)
    points = _fit(judged)
    chosen = _choose(calibrated(judged.raw, points), judged.right, budget, max_error)
    weights = intervals.bootstrap_weights(len(judged))
    plan = CascadePlan(
        task=task,
        main=main_score(header)[0],
        lane=lane,
        texts=len(judged),
        learned=lane == TRAIN or _reads_dev(trained),
        calibration=points,
        chosen=point(judged, chosen, points, weights),
        curve=curve(judged, points),
        student_right=_share(judged.right),
        llm_right=_share(judged.llm_right) if judged.answered.any() else None,
    )
    return plan, cascade_config(plan, trained, path, nlp, prompted[task], settings, audit_share)


def judge_rows(nlp: Language, header: TaskHeader, rows: Sequence[TaskRow]) -> Judged:
    """Hold what a student says, and what the LLM had said, against what was decided.

    nlp (Language): The trained pipeline.
    header (TaskHeader): The task.
    rows (Sequence[TaskRow]): Decided texts, with the proposals of the LLM where there are some.
    RETURNS (Judged): The texts in their order.
    """
    confidence = Confidence(nlp, header.task, header.labels)
    raw: List[float] = []
    found: List[Dict[str, Any]] = []
    answers: List[Dict[str, Any]] = []
    threshold = threshold_of(nlp, header.task)
    batch: List[Doc] = []
    docs = nlp.pipe((row.text for row in rows), batch_size=BATCH)
    for row, doc in zip(rows, docs, strict=True):
        wanted = row.decision or NOTHING
        batch.append(doc)
        if len(batch) == BATCH:
            raw += confidence(batch)
            batch = []
        found.append(compare(wanted, get_annotation(doc, header, threshold=threshold), header))
        usable = row.proposal is not None and row.proposal.usable
        said = row.proposal.annotation if row.proposal is not None and usable else None
        answers.append(found[-1] if said is None else compare(wanted, said, header))
    raw += confidence(batch)
    confidence.forget()
    labels = intervals.all_labels([found, answers])
    return Judged(
        raw=np.array(raw),
        student=intervals.as_array(found, labels),
        llm=intervals.as_array(answers, labels),
        answered=np.array([r.proposal is not None and r.proposal.usable for r in rows], float),
        average=main_score(header)[1],
    )


def _decided(
    rows: Sequence[TaskRow], least: int, *, task: str, path: Path
) -> Tuple[str, List[TaskRow]]:
    """RETURNS (Tuple[str, List[TaskRow]]): The lane, and the texts that somebody decided on."""
    found = {
        lane: [row for row in iter_decided(rows, lane=lane) if not row.bulk]
        for lane in (DEV, TRAIN)
    }
    for lane, some in found.items():
        if len(some) >= least:
            return lane, some
    most = max(len(some) for some in found.values())
    raise InputError(Errors.H560.format(found=most, task=task, path=path, expected=least))


def _fit(judged: Judged) -> Tuple[Tuple[float, float], ...]:
    right = judged.right
    if right.min() == right.max():
        which = "right" if right.all() else "wrong"
        remedy = "It needs no cascade here." if right.all() else "Train a better student."
        raise InputError(Errors.H565.format(total=len(judged), which=which, remedy=remedy))
    return fit_points(judged.raw, right)


def _choose(
    sure: intervals.Floats,
    right: intervals.Floats,
    budget: Optional[float],
    max_error: Optional[float],
) -> float:
    if budget is not None:
        return threshold_for(sure, budget)
    assert max_error is not None
    found = threshold_of_error(sure, right, max_error)
    if found is None:
        lowest = 1 - float(np.sort(sure)[-MIN_KEPT:].mean())
        raise InputError(Errors.H566.format(kept=MIN_KEPT, wanted=max_error, lowest=lowest))
    return found


def _share(right: intervals.Floats) -> Tuple[float, float, float]:
    low, high = share_bounds(int(right.sum()), len(right))
    return float(right.mean()), low, high


def _reads_dev(nlp: Language) -> bool:
    """Whether the recipe of a student learned from lane dev too (`ner_training` does)."""
    after = nlp.config["initialize"].get("after_init") or {}
    return after.get("more") is not None


def cascade_config(
    plan: CascadePlan,
    trained: Language,
    path: Path,
    nlp: Language,
    prompted: PromptedTask,
    settings: Settings,
    audit_share: float,
) -> Config:
    """Write the student and its cascade as a config, for `spacy assemble` or to paste from.

    plan (CascadePlan): The threshold.
    trained (Language): The student's pipeline.
    path (Path): Where it is.
    nlp (Language): The prompted pipeline.
    prompted (PromptedTask): The task and the component that asks.
    settings (Settings): Where dataset and response store are, and what is masked.
    audit_share (float): Share of texts to ask about anyway.
    RETURNS (Config): `[nlp]` and `[components]`.
    """
    block = nlp.config["components"][prompted.component.name]
    task = block["task"]
    if prompted.component.parts is not None:
        task = task["parts"][prompted.name]
    privacy: Dict[str, Any] = {}
    if settings.privacy.mask or settings.privacy.patterns or settings.privacy.local_only:
        privacy = {
            "mask": list(settings.privacy.mask),
            "patterns": dict(settings.privacy.patterns),
            "local_only": settings.privacy.local_only,
        }
    cascade = {
        "factory": "hitl_cascade",
        "student": plan.task,
        "threshold": plan.chosen.threshold,
        "calibration": [list(p) for p in plan.calibration],
        "audit_share": audit_share,
        "queue": str(settings.dataset),
        "responses": str(settings.responses),
        "privacy": privacy,
        "task": task,
        "model": block["model"],
    }
    name = f"{plan.task}_cascade"
    names = list(trained.pipe_names)
    at = names.index(plan.task) + 1
    sections: Dict[str, Any] = {
        "nlp": {"lang": trained.lang, "pipeline": [*names[:at], name, *names[at:]]},
        "components": {
            **{n: {"source": str(path)} for n in names},
            name: cascade,
        },
    }
    if len(trained.vocab.vectors):
        sections["initialize"] = {"vectors": str(path)}
    return Config(sections)
