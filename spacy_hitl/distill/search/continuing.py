"""Go on from the last student when only decisions were added since.

Beside a student, `distilled.json` says what it learned from. If all of that is still there and the
config is the same, the next one begins with the weights of the last one, and without a warm-up.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, List, Optional, Tuple

import spacy
from confection import Config
from spacy.about import __version__ as spacy_version
from spacy.cli._util import setup_gpu
from spacy.language import Language
from spacy.training.initialize import init_nlp
from spacy.training.loop import train

from ...about import __version__
from ...dataset.corpus import read_training_corpus
from ...errors import InputError
from ...io import folder_digest, json_digest, read_json, read_jsonl
from ...records import Annotation, PartialDecision, Record, TaskRow
from ...scoring.items import items_of
from ..learned import remember_inputs
from .inputs import digest_inputs, read_config

RECORD = "distilled.json"

Pairs = Tuple[Tuple[str, str], ...]


@dataclass(frozen=True)
class LearnedCorpus(Record):
    """What a corpus held. decisions: text digest and a digest of what was decided; proposals: the
    same of the undecided texts with a usable proposal, whatever its scores.
    """

    path: str
    task: str
    header: str
    decisions: Pairs = ()
    proposals: Pairs = ()


@dataclass(frozen=True)
class Distilled(Record):
    """What a student learned from: `distilled.json`.

    config: digest of the training config. files: other files and folders that it names, with their
    digests. model: digest of model-best. continued: how many students in a row went on from the
    one before; 0 for one that learned from scratch.
    """

    config: str
    corpora: Tuple[LearnedCorpus, ...]
    files: Pairs
    spacy: str
    spacy_hitl: str
    seed: Optional[int] = None
    model: Optional[str] = None
    continued: int = 0

    @property
    def decided(self) -> int:
        """How many decisions its corpora hold."""
        return sum(len(corpus.decisions) for corpus in self.corpora)


def describe_inputs(config: Path) -> Distilled:
    """Read what a student would learn from now.

    config (Path): Its training config.
    RETURNS (Distilled): Without a model.
    RAISES (InputError): If the config or a corpus can't be read.
    """
    raw = read_config(config)
    filled = raw.interpolate()
    corpora, files = digest_inputs(filled)
    seed = filled.get("training", {}).get("seed")
    return Distilled(
        config=json_digest(filled),
        corpora=tuple(_describe_corpus(Path(value)) for value in corpora),
        files=tuple(files),
        spacy=spacy_version,
        spacy_hitl=__version__,
        seed=seed if isinstance(seed, int) else None,
    )


def _describe_corpus(path: Path) -> LearnedCorpus:
    first = next(read_jsonl(path, what="corpus"))[1]
    header, rows = read_training_corpus(path, first["task"])
    decisions = [(r.text_digest, _digest(r, r.decision)) for r in rows if r.decision is not None]
    proposals = [
        (r.text_digest, _digest(r, r.proposal.annotation, r.partial))
        for r in rows
        if r.decision is None and r.proposal is not None and r.proposal.usable
    ]
    return LearnedCorpus(
        str(path),
        header.task,
        json_digest(header.to_dict()),
        tuple(sorted(decisions)),
        tuple(sorted(proposals)),
    )


def _digest(row: TaskRow, annotation: Annotation, partial: Optional[PartialDecision] = None) -> str:
    """Scores are left out: they are calibrated anew with every decision."""
    items = [
        [i.name, i.start, i.end, i.tail_start, i.tail_end] for i in sorted(items_of(annotation))
    ]
    seen = None if partial is None else partial.to_dict()
    return json_digest([row.lane, items, seen])[:16]


def read_distilled(output: Path) -> Optional[Distilled]:
    """RETURNS (Optional[Distilled]): What the student of a folder learned from, if that is known.
    A record that can't be read counts as none: the student then learns from scratch.
    """
    path = output / RECORD
    if not path.exists() or not (output / "model-best").is_dir():
        return None
    try:
        return Distilled.from_dict(read_json(path, what="record"), where=str(path))
    except InputError:
        return None


def place_to_start(
    new: Distilled, output: Path, *, fresh: bool = False
) -> Tuple[Optional[Distilled], Optional[str]]:
    """Decide whether to go on from the student in a folder.

    new (Distilled): What there is to learn from now.
    output (Path): Where the last student is, if there is one.
    fresh (bool): Not to go on in any case.
    RETURNS (Tuple[Optional[Distilled], Optional[str]]): The record of the last student, and why
        not to go on from it: half a sentence, None if nothing is in the way.
    """
    old = read_distilled(output)
    if fresh:
        return old, "--fresh was given"
    if not new.corpora:
        return old, "the config names no exported corpus"
    if old is None:
        return None, f"no student with a record in '{output}'"
    if old.model != folder_digest(output / "model-best"):
        return old, "model-best is not the one that the record is about"
    return old, reason_to_start_afresh(old, new)


def reason_to_start_afresh(old: Distilled, new: Distilled) -> Optional[str]:
    """Say why the last student can't be gone on from.

    old (Distilled): What it learned from.
    new (Distilled): What there is to learn from now.
    RETURNS (Optional[str]): Half a sentence; None if only decisions were added.
    """
    if (old.spacy, old.spacy_hitl) != (new.spacy, new.spacy_hitl):
        return "it was made with another version of spaCy or spacy-hitl"
    if old.config != new.config:
        return "the config is not the same"
    if old.files != new.files:
        changed = sorted({name for name, _ in set(old.files) ^ set(new.files)})
        return f"'{changed[0]}' is not the same"
    before = {corpus.path: corpus for corpus in old.corpora}
    if before.keys() != {corpus.path for corpus in new.corpora}:
        return "the config names other corpora"
    added = 0
    for corpus in new.corpora:
        reason = _compare_corpora(before[corpus.path], corpus)
        if reason is not None:
            return reason
        added += len(corpus.decisions) - len(before[corpus.path].decisions)
    return None if added else "no decision was added"


def _compare_corpora(old: LearnedCorpus, new: LearnedCorpus) -> Optional[str]:
    if old.header != new.header:
        return f"the task '{old.task}' is not the same"
    decided, proposed = dict(new.decisions), dict(new.proposals)
    lost = sum(decided.get(text) != what for text, what in old.decisions)
    if lost:
        return f"decisions of '{old.task}' were changed or taken away: {lost}"
    known = {text for text, _ in (*old.decisions, *old.proposals)}
    fresh = sum(text not in known for text in proposed)
    if fresh:
        return f"texts of '{old.task}' with a proposal were added: {fresh}"
    other = sum(text not in decided and proposed.get(text) != what for text, what in old.proposals)
    return f"proposals of '{old.task}' were changed or are gone: {other}" if other else None


def train_further(config: Path, output: Path, *, gpu: int = -1) -> Optional[str]:
    """Train a student that begins with the weights of the last one.

    Initialises everything from the corpora as always (a knowledge base has the new links), leaves
    the warm-up out, copies the weights, and runs the ordinary loop over all decisions, old and new.

    config (Path): The training config.
    output (Path): Folder with model-best; it is replaced.
    gpu (int): GPU to use, -1 for the CPU.
    RETURNS (Optional[str]): Why it could not be: then nothing was trained.
    """
    raw = read_config(config)
    setup_gpu(gpu, silent=True)
    nlp = init_nlp(without_warm_up(raw), use_gpu=gpu)
    last = output / "model-best"
    problem = copy_weights(spacy.load(last), nlp)
    if problem is not None:
        return problem
    # The saved config says how to get there from scratch.
    nlp.config["initialize"]["after_init"] = raw.get("initialize", {}).get("after_init")
    remember_inputs(nlp, parent=folder_digest(last))
    train(nlp, output, use_gpu=gpu)
    return None


def without_warm_up(config: Config) -> Config:
    """RETURNS (Config): A copy without [initialize.after_init]."""
    copied = config.copy()
    copied.setdefault("initialize", {})["after_init"] = None
    return copied


def copy_weights(source: Language, target: Language) -> Optional[str]:
    """Give the components of an initialised pipeline the weights of a trained one.

    source (Language): The trained pipeline.
    target (Language): Initialised from the same config; changed in place.
    RETURNS (Optional[str]): Why it can't be done, if it can't.
    """
    pairs = []
    for name, pipe in target.pipeline:
        if not getattr(pipe, "is_trainable", False):
            continue
        other = source.get_pipe(name) if name in source.pipe_names else None
        if other is None or _labels(other) != _labels(pipe):
            return f"the labels of '{name}' are not the same"
        pairs.append((pipe, other))
    for pipe, other in pairs:
        if hasattr(pipe, "kb"):  # its own is newer
            pipe.model.from_bytes(other.model.to_bytes())  # type: ignore[attr-defined]
        else:
            data = other.to_bytes(exclude=["vocab"])  # type: ignore[attr-defined]
            pipe.from_bytes(data, exclude=["vocab"])  # type: ignore[attr-defined]
    return None


def _labels(pipe: Any) -> List[str]:
    """Which labels there are; in which order comes with the weights."""
    return sorted(getattr(pipe, "labels", ()))
