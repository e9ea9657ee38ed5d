"""Where a pipeline comes from, in digests: `nlp.meta["hitl"]`. No text, no path of a machine."""

from dataclasses import dataclass, field
from typing import Dict, Optional, Tuple

from .base import Record

Pairs = Tuple[Tuple[str, str], ...]
Numbers = Tuple[Tuple[str, int], ...]


@dataclass(frozen=True)
class CorpusDigest(Record):
    """What an exported corpus holds.

    name: the path that the config names, or only the file's name if that path is absolute. digest:
    SHA-256 of the file. decisions, partial: texts decided whole and in part; decisions_digest: of
    what was decided, text by text. lanes, origins: of the decisions; bulk: of these accepted
    above a threshold. proposals: undecided texts with a usable proposal, by whom: sources.
    answers: stored answers behind all usable proposals; answers_digest: of their keys.
    """

    name: str
    task: str
    kind: str
    task_digest: str
    digest: str
    decisions: int = 0
    partial: int = 0
    decisions_digest: str = ""
    lanes: Numbers = ()
    origins: Numbers = ()
    bulk: int = 0
    proposals: int = 0
    sources: Numbers = ()
    answers: int = 0
    answers_digest: str = ""


@dataclass(frozen=True)
class Learned(Record):
    """What a student learned from; written while it is trained.

    config: digest of the training config as spaCy filled it in. files: other files and folders that
    it names, with their digests. bases: frozen components, with the SHA-256 of their weights.
    versions: of the packages that trained it. parent: digest of the student it went on from.
    """

    config: str
    corpora: Tuple[CorpusDigest, ...] = ()
    files: Pairs = ()
    bases: Pairs = ()
    versions: Pairs = ()
    seed: Optional[int] = None
    parent: Optional[str] = None


@dataclass(frozen=True)
class PromptDigest(Record):
    """What a model was asked: digests of the task, and of the parts of its prompt.

    instructions: the whole system prompt. model: who was asked. examples: of the file.
    """

    task_digest: str
    model: str
    instructions: Optional[str] = None
    template: Optional[str] = None
    guidelines: Optional[str] = None
    examples: Optional[str] = None


@dataclass(frozen=True)
class StudentLineage(Record):
    """Where one student of a promoted pipeline comes from, and what it was measured on.

    student_digest: of its trained folder; needs: those of the students it was measured with.
    score: the main score by its name; interval: 95%. gold_texts, origins, blind, gold_digest: what
    it was measured on. metrics_digest: of the file with all figures.
    """

    kind: str
    task_digest: str
    student_digest: str
    score: Dict[str, float]
    interval: Tuple[float, float]
    gold_texts: int
    origins: Numbers = ()
    blind: bool = True
    metrics_digest: Optional[str] = None
    gold_digest: Optional[str] = None
    needs: Pairs = ()
    prompt: Optional[PromptDigest] = None
    learned: Optional[Learned] = None


@dataclass(frozen=True)
class Lineage(Record):
    """`nlp.meta["hitl"]` of a promoted pipeline; of a student alone, only `learned`.

    spacy_hitl: version of this package that promoted it; versions: of the packages it runs on.
    students: by task. prompted: components that ask a model. held: tasks that were left out, and
    why. config: digest of the prototype's config. code: SHA-256 of the user's own code.
    parts: files and folders of the pipeline with their digests, but for meta.json and README.md.
    """

    name: str = ""
    spacy_hitl: str = ""
    versions: Pairs = ()
    config: Optional[str] = None
    code: Optional[str] = None
    students: Dict[str, StudentLineage] = field(default_factory=dict)
    prompted: Tuple[str, ...] = field(default_factory=tuple)  # written even if empty
    held: Dict[str, Tuple[str, ...]] = field(default_factory=dict)
    parts: Pairs = ()
    learned: Optional[Learned] = None
