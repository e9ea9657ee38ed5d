"""A lineage as a tree that one can read in a terminal."""

from dataclasses import dataclass
from typing import Iterator, List, Optional, Sequence, Tuple

from ..records import Learned, Lineage, StudentLineage

SHOWN = 12  # characters of a digest: enough to tell two apart


@dataclass(frozen=True)
class Branch:
    """A line of a tree, and what hangs below it."""

    text: str
    below: Tuple["Branch", ...] = ()


def draw(branch: Branch, *, first: str = "", rest: str = "") -> Iterator[str]:
    """Draw a tree.

    branch (Branch): Its root.
    first, rest (str): What stands before the line of the root, and before the others.
    YIELDS (str): Lines.

    >>> print("\\n".join(draw(Branch("a", (Branch("b", (Branch("c"),)), Branch("d"))))))
    a
    ├─ b
    │  └─ c
    └─ d
    """
    yield first + branch.text
    for number, below in enumerate(branch.below, start=1):
        last = number == len(branch.below)
        corner, line = ("└─ ", "   ") if last else ("├─ ", "│  ")
        yield from draw(below, first=rest + corner, rest=rest + line)


def tree_of(lineage: Lineage, *, name: str) -> Branch:
    """Lay a lineage out.

    lineage (Lineage): Where a pipeline comes from.
    name (str): What to call the pipeline, if the lineage has no name for it.
    RETURNS (Branch): The tree.
    """
    if lineage.learned is not None:
        return Branch(name, tuple(_learned(lineage.learned)))
    versions = (("spacy_hitl", lineage.spacy_hitl), *lineage.versions)
    below = [Branch(f"made with {_pairs(versions)}")]
    if lineage.config is not None:
        below.append(Branch(f"config {short(lineage.config)}"))
    if lineage.code is not None:
        below.append(Branch(f"code {short(lineage.code)}"))
    below += [Branch(task, tuple(_student(s))) for task, s in lineage.students.items()]
    below += [Branch(f"{task}: asks a model") for task in lineage.prompted]
    below += [
        Branch(f"{task}: held, {'; '.join(reasons)}")
        for task, reasons in lineage.held.items()
        if task not in lineage.prompted
    ]
    return Branch(lineage.name or name, tuple(below))


def short(digest: str) -> str:
    """RETURNS (str): The beginning of a digest."""
    return digest[:SHOWN]


def _student(s: StudentLineage) -> Iterator[Branch]:
    scores = ", ".join(f"{name} {value:.3f}" for name, value in s.score.items())
    rests = ", ".join(f"{n:,} {origin}" for origin, n in s.origins) or "not known"
    blind = "blind" if s.blind else "not blind"
    measured = f"{scores} ({s.interval[0]:.3f} to {s.interval[1]:.3f})"
    yield Branch(
        f"measured: {measured}, figures {_known(s.metrics_digest)}",
        (Branch(f"gold {_known(s.gold_digest)}: {s.gold_texts:,} texts ({rests}), {blind}"),),
    )
    learned: Sequence[Branch] = ()
    if s.learned is not None:
        learned = tuple(_learned(s.learned))
    needs = [Branch(f"measured with {name} {short(digest)}") for name, digest in s.needs]
    below = (*needs, *(learned or (Branch("what it learned from was not recorded"),)))
    yield Branch(f"student {short(s.student_digest)}", below)
    if s.prompt is None:
        yield Branch(f"task {s.task_digest}")
        return
    parts = [
        Branch(f"{what} {short(digest)}")
        for what, digest in (
            ("instructions", s.prompt.instructions),
            ("template", s.prompt.template),
            ("guidelines", s.prompt.guidelines),
            ("examples", s.prompt.examples),
        )
        if digest is not None
    ]
    yield Branch(f"prompt {s.prompt.task_digest}, asked of {s.prompt.model}", tuple(parts))


def _learned(learned: Learned) -> Iterator[Branch]:
    for corpus in learned.corpora:
        decided = _some(corpus.decisions, "decision")
        if corpus.partial:
            decided += f", {corpus.partial:,} in part"
        below = [Branch(f"{decided} {short(corpus.decisions_digest)}{_by(corpus.origins)}")]
        if corpus.proposals:
            counted = f"{_some(corpus.proposals, 'proposal')} of texts nobody decided on"
            below.append(Branch(f"{counted}{_by(corpus.sources)}"))
        if corpus.answers:
            answers = _some(corpus.answers, "stored answer")
            below.append(Branch(f"{answers} {short(corpus.answers_digest)}"))
        yield Branch(f"corpus {corpus.name} {short(corpus.digest)}", tuple(below))
    for name, digest in learned.files:
        yield Branch(f"file {name} {short(digest)}")
    for name, digest in learned.bases:
        yield Branch(f"base {name} {short(digest)}")
    if learned.parent is not None:
        yield Branch(f"went on from student {short(learned.parent)}")
    seed = "" if learned.seed is None else f", seed {learned.seed}"
    yield Branch(f"training config {short(learned.config)}{seed}; {_pairs(learned.versions)}")


def _by(counts: Sequence[Tuple[str, int]]) -> str:
    found: List[str] = [f"{n:,} {name}" for name, n in counts]
    return f" ({', '.join(found)})" if found else ""


def _some(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _pairs(pairs: Sequence[Tuple[str, str]]) -> str:
    return ", ".join(f"{name} {version}" for name, version in pairs)


def _known(digest: Optional[str]) -> str:
    return "not recorded" if digest is None else short(digest)
