"""Pieces of a model card: cells, sentences, and what its reader must be warned of."""

from collections import Counter
from typing import Iterator, List, Mapping, Optional, Tuple

from ..records import BULK, Lineage, StudentLineage, TaskHeader
from ..scoring.results import STUDENT, Bounds, LabelScore, TaskMetrics

FEW = 30  # a figure on fewer examples says little
FINDS = {
    "ner": "named entities",
    "spancat": "spans",
    "textcat": "text categories",
    "linking": "entity links",
    "relations": "relations",
}


def safe(text: str) -> str:
    """Keep a text from being more than text in Markdown.

    text (str): Of the user: a label, a definition, a name.
    RETURNS (str): One line that breaks no table and starts no tag.

    >>> safe("a | b <script>" + chr(10) + "c")
    'a \\\\| b &lt;script> c'
    """
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def number(value: Optional[float], form: str) -> str:
    """RETURNS (str): A number, or a dash if it is not known."""
    return "-" if value is None else form.format(value)


def figure(value: float, bounds: Optional[Bounds]) -> str:
    """RETURNS (str): A score with its 95% interval, if it has one.

    >>> figure(0.5, (0.41, 0.6)), figure(0.5, None)
    ('0.50 (0.41 to 0.60)', '0.50')
    """
    return f"{value:.2f}" + ("" if bounds is None else f" ({bounds[0]:.2f} to {bounds[1]:.2f})")


def examples_of_label(label: LabelScore) -> int:
    """RETURNS (int): How often a label is in gold."""
    return label.tp + label.fn


def place_of(header: TaskHeader) -> str:
    """RETURNS (str): Where a document holds what was found: an expression in Python."""
    places = {
        "ner": "doc.ents",
        "linking": "[(ent.text, ent.kb_id_) for ent in doc.ents]",
        "textcat": "doc.cats",
        "relations": "doc._.rel",
    }
    return places.get(header.kind, f'doc.spans["{header.spans_key or "sc"}"]')


def learned_rows(task: str, student: StudentLineage) -> Iterator[Tuple[str, ...]]:
    """YIELDS (Tuple[str, ...]): A line of the table of training data for each corpus."""
    if student.learned is None:
        yield safe(task), "not recorded", "-", "-", "-"
        return
    for corpus in student.learned.corpora:
        decided = f"{corpus.decisions:,}"
        if corpus.lanes:
            decided += f" ({', '.join(f'{n:,} {lane}' for lane, n in corpus.lanes)})"
        name = safe(corpus.name)
        yield safe(task), name, corpus.digest[:12], decided, f"{corpus.proposals:,}"


def errors_and_speed(m: TaskMetrics) -> Iterator[str]:
    """YIELDS (str): What kinds of errors a student makes, and how long a text takes: sentences."""
    student = m.by_role(STUDENT)
    if student is None:
        return
    kinds: Counter[str] = Counter()
    for error in student.errors:
        kinds[error.kind] += error.count
    if kinds:
        yield f"Its errors: {', '.join(f'{n:,} {kind}' for kind, n in kinds.most_common())}."
    speed = student.speed
    if speed is not None and speed.p50_ms is not None and speed.p99_ms is not None:
        yield f"A single text takes {speed.p50_ms:.1f} ms, one in a hundred {speed.p99_ms:.1f}."
    if speed is not None and speed.peak_megabytes is not None:
        yield f"Memory: {speed.peak_megabytes:,.0f} MB at most."


def limits(lineage: Lineage, metrics: Mapping[str, TaskMetrics]) -> List[str]:
    """Say what the reader of a card must be warned of.

    lineage (Lineage): Where the pipeline comes from.
    metrics (Mapping[str, TaskMetrics]): What was measured, by task.
    RETURNS (List[str]): A sentence each.
    """
    found = []
    for task, m in metrics.items():
        student = m.by_role(STUDENT)
        labels = () if student is None or m.header.catalog is not None else student.labels
        rare = [label.label for label in labels if examples_of_label(label) < FEW]
        if rare:
            names = ", ".join(safe(label) for label in rare)
            found.append(f"{safe(task)}: fewer than {FEW} examples in gold of {names}.")
        if any(origin == "import" for origin, _ in m.origins):
            found.append(
                f"{safe(task)}: gold decisions were read from a file; who made them, and how well, "
                "is not known here."
            )
        if student is not None and not student.slices:
            found.append(f"{safe(task)}: not measured on parts of the texts.")
    for task, s in lineage.students.items():
        bulk = 0 if s.learned is None else sum(c.bulk for c in s.learned.corpora)
        if bulk:
            found.append(f"{safe(task)}: {bulk:,} decisions were accepted in {BULK}, unread.")
        if s.learned is None:
            found.append(f"{safe(task)}: what it learned from was not recorded.")
    if lineage.prompted:
        names = ", ".join(map(safe, lineage.prompted))
        found.append(f"{names}: still asks a model, which may cost money and send texts away.")
    for task, reasons in lineage.held.items():
        if task not in lineage.prompted:
            found.append(f"{safe(task)} is not in it: {safe('; '.join(reasons))}.")
    found.append("Who wrote the texts, and whom they speak of, was not looked into.")
    return found
