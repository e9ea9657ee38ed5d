"""Few-shot examples for a prompt, chosen from what people decided. Gold can't be among them."""

from pathlib import Path
from typing import List, Optional, Sequence, Set

from ..dataset.views import TrainingSet
from ..errors import Errors, InputError
from ..io import write_jsonl
from ..pipeline.loading import load_prompted, prompted_tasks
from ..records import TRAIN, Annotation, TaskRow
from ..scoring.selection import farthest_first, spread_over_labels

LABELS, DIVERSE, POOL = STRATEGIES = ("labels", "diverse", "pool")
COUNT = 8  # what a prompt can hold


def choose_examples(
    config: Path,
    task: str,
    path: Path,
    *,
    count: Optional[int] = None,
    strategy: str = LABELS,
    max_chars: int = 500,
    seed: int = 0,
) -> int:
    """Write few-shot examples for a task block's `examples`.

    config (Path): Config of the prompted pipeline.
    task (str): Name of the task.
    path (Path): JSONL to write: text and annotation in the compact form.
    count (Optional[int]): How many; if not given, 8, or all for a pool.
    strategy (str): "labels" (every label about equally often), "diverse" (texts with little in
        common), or "pool" (all: for a task block with `examples_nearest`).
    max_chars (int): Longer texts are not chosen: an example is paid for in every prompt.
    seed (int): Of the choice.
    RETURNS (int): How many were written.
    RAISES (InputError): If there is no such task or strategy, or nothing was decided in lane train.
    """
    nlp, settings = load_prompted(config)
    tasks = prompted_tasks(nlp)
    if task not in tasks:
        pipeline = ", ".join(tasks)
        raise InputError(Errors.H401.format(path=config, task=task, pipeline=pipeline))
    if strategy not in STRATEGIES:
        problem = f"{strategy!r}, not one of {', '.join(STRATEGIES)}"
        raise InputError(Errors.H004.format(where="--strategy", problem=problem))
    now = {name: prompted.task for name, prompted in tasks.items()}
    with TrainingSet(settings.dataset) as training:
        history = training.histories(now, settings.changes, path=config)[task]
        rows = [
            row
            for row in training.task_rows(task, lanes=[TRAIN], history=history)
            if row.decision is not None and not row.bulk and len(row.text) <= max_chars
        ]
    if not rows:
        where = settings.dataset
        raise InputError(Errors.H300.format(task=task, path=where, what="decision", lane=TRAIN))
    chosen = _choose(rows, strategy, count, seed=seed)
    write = tasks[task].task.write_compact
    picked: List[TaskRow] = [rows[i] for i in chosen]
    return write_jsonl(
        path,
        ({"text": r.text, "annotation": write(r.decision or Annotation())} for r in picked),
    )


def _choose(
    rows: Sequence[TaskRow], strategy: str, count: Optional[int], *, seed: int
) -> List[int]:
    if strategy == POOL:
        # Sorted by digest, which has nothing to do with what a text says: the first are any.
        return list(range(len(rows)))[:count]
    wanted = COUNT if count is None else count
    if strategy == LABELS:
        return spread_over_labels([_labels(row) for row in rows], wanted, seed=seed)
    return farthest_first([row.text for row in rows], wanted, seed=seed)


def _labels(row: TaskRow) -> Set[str]:
    annotation = row.decision or Annotation()
    spans = {s.kb_id or s.label for s in annotation.spans}
    return spans | {c.label for c in annotation.cats}
