"""How well a task's scores tell right from wrong annotations, by the decisions on train and dev."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Sequence, Tuple

from spacy.language import Language

from ..dataset.views import TrainingSet
from ..errors import Errors, InputError
from ..llm.stored import StoredResponses
from ..pipeline.hitl_llm import PromptedTask
from ..pipeline.loading import load_prompted, prompted_tasks, version_keys
from ..records import DEV, IMPORT, TRAIN, Proposal, TaskRow
from ..scoring.confidence import scored_annotation, weigh
from ..scoring.items import each
from ..scoring.judged import JudgedText, Measures, judge, measure_all
from ..settings import Settings

Sampled = Tuple[TaskRow, Tuple[Proposal, ...]]


@dataclass(frozen=True)
class ConfidenceReport:
    """What the scores of one task are worth.

    texts: with a decision and an answer; imported: of these decided by a file; seen: of these
    decided with a proposal in sight. voters: texts by number of answers that voted. sources:
    annotations by where their score comes from ("none": without a score). groups: the figures of
    the annotations that were proposed, and of other groups (`scoring.judged.judge`).
    """

    task: str
    source: str
    texts: int
    imported: int
    seen: int
    voters: Dict[int, int]
    sources: Dict[str, int]
    groups: Dict[str, Measures]


def confidence_report(
    config: Path, task: str, lanes: Sequence[str] = (TRAIN, DEV)
) -> ConfidenceReport:
    """Hold the scores of a task's proposals against the decisions. Nothing is changed.

    config (Path): Config of the prompted pipeline.
    task (str): Name of a prompted task.
    lanes (Sequence[str]): Any of train and dev; gold is for evaluating students only.
    RETURNS (ConfidenceReport): Counts and figures.
    RAISES (InputError): If there is no such task, gold is asked for, no text has both a decision
        and an answer, or no annotation has a score.
    """
    nlp, settings = load_prompted(config)
    tasks = prompted_tasks(nlp)
    if task not in tasks:
        known = ", ".join(tasks)
        raise InputError(Errors.H130.format(path=config, task=task, known=known))
    header = tasks[task].task.header(task)
    key = tasks[task].key
    now = {name: prompted.task for name, prompted in tasks.items()}
    with TrainingSet(settings.dataset) as training:
        history = training.histories(now, settings.changes, path=config)[task]
        versions = version_keys(config)[task]
        found = training.sample_rows(task, key=key, versions=versions, lanes=lanes, history=history)
        rows: List[Sampled] = [
            (row, samples)
            for row, samples in found
            if row.decision is not None and row.proposal is not None and not row.bulk
        ]
    if not rows:
        places = " and ".join(lanes)
        raise InputError(Errors.H131.format(task=task, lanes=places, source=key[0]))
    with answers_behind(tasks[task], nlp, settings) as answers:
        texts, sources, voters = _judged(rows, answers)
    several = header.kind == "textcat" and not header.exclusive
    judged = judge(texts, absent_labels=header.labels if several else ())
    if not any(len(scored) for scored in judged.values()):
        raise InputError(Errors.H132.format(task=task))
    return ConfidenceReport(
        task=task,
        source=key[0],
        texts=len(rows),
        imported=sum(row.origin == IMPORT for row, _ in rows),
        seen=sum(not row.blind for row, _ in rows),
        voters=dict(sorted(voters.items())),
        sources=dict(sorted(sources.items())),
        groups=measure_all(judged),
    )


def _judged(
    rows: Sequence[Sampled], answers: StoredResponses
) -> Tuple[List[JudgedText], "Counter[str]", "Counter[int]"]:
    texts: List[JudgedText] = []
    sources: Counter[str] = Counter()
    voters: Counter[int] = Counter()
    for row, samples in rows:
        if row.proposal is None or row.decision is None:
            continue
        confidence = weigh(samples, text=row.text, responses=answers.about(row.text))
        scored = scored_annotation(row.proposal, confidence)
        sources.update(one.score_source or "none" for one in each(scored))
        voters[confidence.votes.voters] += 1
        texts.append(JudgedText(row.proposal.annotation, confidence, row.decision))
    return texts, sources, voters


def answers_behind(prompted: PromptedTask, nlp: Language, settings: Settings) -> StoredResponses:
    """Find the stored answers behind a task's proposals, with what was masked in its place again.

    prompted (PromptedTask): The task.
    nlp (Language): Its pipeline; only its tokenizer is used.
    settings (Settings): Of the project: where the store is, and what is masked.
    RETURNS (StoredResponses): To be opened with `with`.
    """
    return StoredResponses(settings.responses, settings.privacy, ask=prompted.asks_about(nlp))
