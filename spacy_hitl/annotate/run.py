"""Run a prompted pipeline over texts and write proposals. Stop it anywhere, start it again."""

import warnings
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Tuple, Type, TypeVar

from spacy.language import Language
from spacy.tokens import Doc
from tqdm import tqdm

from ..dataset.rows import read_rows
from ..dataset.store import Dataset
from ..dataset.task_versions import remember
from ..errors import BudgetReached
from ..llm.budget import (
    Budget,
    BudgetedModel,
    DryModel,
    LedgerLine,
    dry_costs,
    ledger,
)
from ..llm.privacy import check_privacy, protect
from ..llm.store import ResponseStore, StoredAnswers
from ..pipeline.hitl_llm import HitlLLM
from ..pipeline.loading import load_prompted, prompted_components, prompted_tasks
from ..records import FAILED, LANES, Proposal, Row
from ..settings import Settings
from ..tasks.base import get_proposals

_T = TypeVar("_T")
BATCH = 32
CHECK_TEXT = "Hello, this is a test."


@dataclass(frozen=True)
class AnnotateSummary:
    """What one run did: new texts, annotated texts, answers by task and status.

    ledger: what the store's answers cost so far, per model. stopped: why the run ended early.
    """

    new_texts: int
    annotated: int
    statuses: Dict[Tuple[str, str], int]
    first_failure: Optional[str] = None
    ledger: Tuple[LedgerLine, ...] = ()
    stopped: Optional[str] = None


def annotate(
    config_path: Path,
    texts_path: Path,
    *,
    limit: Optional[int] = None,
    max_cost: Optional[float] = None,
    reparse: bool = False,
    samples: Optional[int] = None,
    progress: bool = False,
) -> AnnotateSummary:
    """Propose annotations for all texts that have none yet from this config's components.

    config_path (Path): Config of a prompted pipeline, with a [hitl] section.
    texts_path (Path): JSONL of rows. All are checked and stored before the first is annotated.
    limit (Optional[int]): Stop after this many texts.
    max_cost (Optional[float]): Stop before all answers of the store together cost more than this,
        by the prices in [hitl.prices].
    reparse (bool): Ask nothing: understand the stored answers anew, whatever their prompt was.
    samples (Optional[int]): Ask every question this often, one pass after the other, for votes; if
        not given, each component asks for the one sample that its config names.
    progress (bool): Show a progress bar.
    RETURNS (AnnotateSummary): What was done.
    RAISES (InputError): If the config or a row can't be used; nothing of the file is stored then.
    RAISES (StateError): If the dataset can't be written; what was stored stays.
    """
    project = _open(config_path, texts_path)
    tally, stopped = _Tally(), None
    with project.dataset as dataset, project.store as store:
        new_texts = dataset.add_rows(project.rows, project.settings.lanes)
        remember(
            dataset,
            {name: prompted.task for name, prompted in prompted_tasks(project.nlp).items()},
            project.settings.changes,
        )
        budget = None
        if max_cost is not None:
            spent = sum(line.cost or 0.0 for line in ledger(store, project.settings.prices))
            budget = Budget(max_cost, project.settings.prices, spent=spent)
        privacy = project.settings.privacy
        for name, component in project.components.items():
            model = component.model
            if reparse:
                stored = StoredAnswers(model.source, store)
                component.model = protect(stored, privacy, name=name)
                continue
            if budget is not None:
                budget.price(model.source)
                model = BudgetedModel(model, budget)
            component.model = protect(model, privacy, name=name, store=store)
        try:
            for sample in range(1, samples + 1) if samples is not None else [None]:
                _annotate_missing(project, dataset, tally, sample, limit, progress=progress)
        except BudgetReached as e:
            stopped = str(e)
        lines = tuple(ledger(store, project.settings.prices))
    statuses = dict(tally.statuses)
    return AnnotateSummary(new_texts, tally.texts, statuses, tally.failure, lines, stopped)


@dataclass
class _Tally:
    statuses: "Counter[Tuple[str, str]]" = field(default_factory=Counter)
    texts: int = 0
    failure: Optional[str] = None


def _annotate_missing(
    project: "_Project",
    dataset: Dataset,
    tally: _Tally,
    sample: Optional[int],
    limit: Optional[int],
    *,
    progress: bool,
) -> None:
    """One pass over the texts that lack a proposal of this sample."""
    for component in project.components.values():
        component.sample = component.sample if sample is None else sample
    keys = {name: task.key for name, task in prompted_tasks(project.nlp).items()}
    todo = dataset.texts_without(keys, lanes=LANES)[:limit]
    found = annotated(project.nlp, (dataset.text(d) for d in todo))
    with tqdm(total=len(todo), unit="text", disable=not progress) as bar:
        for batch in batched_until(found, BATCH, BudgetReached):
            proposals = [p for by_task in batch for p in by_task.values()]
            dataset.add_proposals(proposals)
            tally.statuses.update((p.task, p.status) for p in proposals)
            failed = [p for p in proposals if p.status == FAILED]
            tally.failure = tally.failure or (failed[0].problems[0].detail if failed else None)
            tally.texts += len(batch)
            bar.update(len(batch))


def dry_run(
    config_path: Path, texts_path: Path, *, limit: Optional[int] = None
) -> Tuple[LedgerLine, ...]:
    """Count what annotate would ask, and what that would cost at most. Asks and stores nothing.

    A component that builds on another's answers (linking on mentions) is counted as if there
    were none.

    config_path (Path): Config of a prompted pipeline.
    texts_path (Path): JSONL of rows.
    limit (Optional[int]): Stop after this many texts.
    RETURNS (Tuple[LedgerLine, ...]): One line per model.
    """
    project = _open(config_path, texts_path)
    models = {name: DryModel(c.model) for name, c in project.components.items()}
    with ExitStack() as stack:
        if project.settings.responses.exists():
            store = stack.enter_context(project.store)
            for name, component in project.components.items():
                component.model = protect(
                    models[name], project.settings.privacy, name=name, store=store
                )
        else:
            for name, component in project.components.items():
                component.model = models[name]
        texts = dict.fromkeys(row.text for row in project.rows)
        for _ in annotated(project.nlp, iter(list(texts)[:limit])):
            pass
    return tuple(dry_costs(models.values(), project.settings.prices))


def check_models(config_path: Path) -> List[Tuple[str, str, str]]:
    """Ask every component's model one question, about a harmless text. Stores nothing.

    config_path (Path): Config of a prompted pipeline.
    RETURNS (List[Tuple[str, str, str]]): Component, status of its answer, and what was wrong.
    RAISES (ModelError): If a server refuses: the message explains key, address or model name.
    """
    nlp, settings = load_prompted(config_path)
    for name, component in prompted_components(nlp).items():
        component.model = protect(component.model, settings.privacy, name=name)
    found = []
    for name, proposal in next(annotated(nlp, iter([CHECK_TEXT]))).items():
        detail = "; ".join(f"{p.kind}: {p.detail}" for p in proposal.problems)
        found.append((name, proposal.status, detail))
    return found


@dataclass
class _Project:
    nlp: Language
    settings: Settings
    rows: List[Row]
    components: Dict[str, HitlLLM]

    @property
    def dataset(self) -> Dataset:
        return Dataset(self.settings.dataset)

    @property
    def store(self) -> ResponseStore:
        return ResponseStore(self.settings.responses)


def _open(config_path: Path, texts_path: Path) -> _Project:
    """Load and check all that a run reads, before anything is stored."""
    nlp, settings = load_prompted(config_path)
    components = prompted_components(nlp)
    for name, component in components.items():
        check_privacy(component.model, settings.privacy, name=name)
    rows = read_rows(texts_path, settings.data)
    # Reads guidelines and catalogs: what is wrong with them shows before anything is stored.
    for task in prompted_tasks(nlp).values():
        task.task.digest()
    return _Project(nlp, settings, rows, components)


def batched_until(items: Iterator[_T], size: int, stop: Type[Exception]) -> Iterator[List[_T]]:
    """Batch a stream that may end with an exception, and give out what came before it.

    items (Iterator[_T]): The stream.
    size (int): Items per batch.
    stop (Type[Exception]): Raised again after the last batch.
    YIELDS (List[_T]): Lists of items.
    """
    batch: List[_T] = []
    try:
        for item in items:
            batch.append(item)
            if len(batch) == size:
                yield batch
                batch = []
    except stop:
        if batch:
            yield batch
        raise
    if batch:
        yield batch


def annotated(nlp: Language, texts: Iterator[str]) -> Iterator[Dict[str, Proposal]]:
    """YIELDS (Dict[str, Proposal]): The proposals for each text by component, in order."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"\[W100\]")  # counted in the summary
        docs: Iterator[Doc] = nlp.pipe(texts, batch_size=BATCH)
        for doc in docs:
            yield get_proposals(doc)
