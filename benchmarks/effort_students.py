"""Students for the effort benchmark: trained by the product's own recipe, cross-fitted.

A student never proposes for a text that it learned from: the texts are dealt out by their digest,
and each part gets its proposals from a student of the others. Learned from: what was decided, and
the LLM's usable proposals for the rest. Never gold.
"""

import tempfile
from pathlib import Path
from typing import Dict, Iterable, List, Sequence

from spacy import util
from spacy.language import Language
from spacy.training.initialize import init_nlp
from thinc.api import NumpyOps, set_current_ops

from spacy_hitl.dataset.corpus import write_corpus
from spacy_hitl.records import (
    EMPTY,
    OK,
    Annotation,
    Proposal,
    SpanAnnotation,
    TaskHeader,
    TaskRow,
)

SOURCE = "student"
CONFIG = Path(__file__).parent.parent / "configs" / "product.cfg"
BEAM = {"beam_width": 16, "beam_density": 1e-4}
EXTRA = 0.3  # score from which a span that the LLM does not have is proposed


def cross_fit(
    header: TaskHeader, rows: Sequence[TaskRow], *, seed: int, folds: int, epochs: int
) -> Dict[str, Proposal]:
    """Let students propose for texts that they did not see.

    header (TaskHeader): The entity task.
    rows (Sequence[TaskRow]): Texts outside gold, with their decisions and the LLM's proposals.
    seed (int): Of weights and order.
    folds (int): Into how many parts the texts are dealt out.
    epochs (int): Passes over the texts.
    RETURNS (Dict[str, Proposal]): By text digest; spans with scores, not calibrated.
    """
    found: Dict[str, Proposal] = {}
    for fold in range(folds):
        held = [row for row in rows if _fold(row, folds) == fold]
        nlp = train(header, [r for r in rows if _fold(r, folds) != fold], seed=seed, epochs=epochs)
        found.update(propose(nlp, header, held))
    return found


def _fold(row: TaskRow, folds: int) -> int:
    return int(row.text_digest[:8], 16) % folds


def train(header: TaskHeader, rows: Sequence[TaskRow], *, seed: int, epochs: int) -> Language:
    """RETURNS (Language): A student, as configs/product.cfg makes it before its last, slow loop."""
    set_current_ops(NumpyOps(use_blis=False))  # one thread, and faster than the default
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder) / "corpus.jsonl"
        write_corpus(corpus, header, rows)
        overrides = {
            "paths.corpus": str(corpus),
            "system.seed": seed,
            "corpora.train.task": header.task,
            "corpora.train.proposals": True,
            "corpora.dev.task": header.task,
            "initialize.after_init.task": header.task,
            "initialize.after_init.epochs": epochs,
            "initialize.after_init.seed": seed,
            "initialize.after_init.decisions": True,
        }
        return init_nlp(util.load_config(CONFIG, overrides=overrides, interpolate=False))


def propose(nlp: Language, header: TaskHeader, rows: Iterable[TaskRow]) -> Dict[str, Proposal]:
    """Read spans and their scores from a beam.

    nlp (Language): The student.
    header (TaskHeader): The entity task.
    rows (Iterable[TaskRow]): The texts.
    RETURNS (Dict[str, Proposal]): By text digest; every span that scores at least `EXTRA`.
    """
    rows = list(rows)
    ner = nlp.get_pipe(nlp.pipe_names[-1])
    docs = [nlp.make_doc(row.text) for row in rows]
    scored = ner.scored_ents(ner.beam_parse(docs, **BEAM))
    found: Dict[str, Proposal] = {}
    for row, doc, scores in zip(rows, docs, scored, strict=True):
        spans: List[SpanAnnotation] = []
        for (first, last, label), score in sorted(scores.items()):
            start, end = doc[first].idx, doc[last - 1].idx + len(doc[last - 1])
            if score >= EXTRA:
                spans.append(SpanAnnotation(start, end, label, score=min(score, 1.0)))
        found[row.text_digest] = Proposal(
            text_digest=row.text_digest,
            task=header.task,
            source=SOURCE,
            status=OK if spans else EMPTY,
            task_digest=header.task_digest,
            annotation=Annotation(spans=tuple(spans)),
        )
    return found
