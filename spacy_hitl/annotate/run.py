"""Run a prompted pipeline over texts and write proposals. Stop it anywhere, start it again."""

import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Tuple

from spacy.language import Language
from spacy.tokens import Doc
from tqdm import tqdm

from ..dataset.rows import read_rows
from ..dataset.store import Dataset
from ..io import batched
from ..llm.store import ResponseStore, StoredModel
from ..pipeline.hitl_llm import HitlLLM
from ..pipeline.loading import load_prompted, prompted_components
from ..records import FAILED, LANES, Proposal
from ..tasks.base import get_proposals

BATCH = 32


@dataclass(frozen=True)
class AnnotateSummary:
    """What one run did: new texts, annotated texts, and answers by task and status."""

    new_texts: int
    annotated: int
    statuses: Dict[Tuple[str, str], int]
    first_failure: Optional[str] = None


def annotate(
    config_path: Path, texts_path: Path, *, limit: Optional[int] = None, progress: bool = False
) -> AnnotateSummary:
    """Propose annotations for all texts that have none yet from this config's components.

    config_path (Path): Config of a prompted pipeline, with a [hitl] section.
    texts_path (Path): JSONL of rows. All are checked and stored before the first is annotated.
    limit (Optional[int]): Stop after this many texts.
    progress (bool): Show a progress bar.
    RETURNS (AnnotateSummary): What was done.
    RAISES (InputError): If the config or a row can't be used; nothing of the file is stored then.
    RAISES (StateError): If the dataset can't be written; what was stored stays.
    """
    nlp, settings = load_prompted(config_path)
    rows = read_rows(texts_path, settings.data)
    # Reads guidelines and catalogs: what is wrong with them shows before anything is stored.
    components = prompted_components(nlp)
    keys = {name: proposal_key(component) for name, component in components.items()}
    with Dataset(settings.dataset) as dataset, ResponseStore(settings.responses) as store:
        new_texts = dataset.add_rows(rows, settings.lanes)
        for component in components.values():
            component.model = StoredModel(component.model, store)
        todo = dataset.texts_without(keys, lanes=LANES)[:limit]
        bar = tqdm(total=len(todo), unit="text", disable=not progress)
        statuses: Counter[Tuple[str, str]] = Counter()
        failure: Optional[str] = None
        for batch in batched(annotated(nlp, (dataset.text(d) for d in todo)), BATCH):
            proposals = [p for found in batch for p in found]
            dataset.add_proposals(proposals)
            statuses.update((p.task, p.status) for p in proposals)
            failed = [p for p in proposals if p.status == FAILED]
            failure = failure or (failed[0].problems[0].detail if failed else None)
            bar.update(len(batch))
        bar.close()
    return AnnotateSummary(new_texts, len(todo), dict(statuses), failure)


def annotated(nlp: Language, texts: Iterator[str]) -> Iterator[List[Proposal]]:
    """YIELDS (List[Proposal]): The proposals for each text, in order."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"\[W100\]")  # counted in the summary
        docs: Iterator[Doc] = nlp.pipe(texts, batch_size=BATCH)
        for doc in docs:
            yield list(get_proposals(doc).values())


def proposal_key(component: HitlLLM) -> Tuple[str, int, str]:
    """RETURNS (Tuple[str, int, str]): Source, sample and task digest of a component's proposals."""
    return component.model.source, component.sample, component.task.digest()
