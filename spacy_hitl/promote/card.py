"""A model card, after Mitchell et al. (2019), Model Cards for Model Reporting: README.md."""

from typing import Collection, Dict, List, Mapping, Tuple

from spacy.language import Language
from wasabi.markdown import MarkdownRenderer

from ..dataset.digests import plain_name
from ..records import PERSON, Lineage, StudentLineage
from ..scoring.results import BASELINE, PRODUCTION, PROMPTED, STUDENT, SystemScore, TaskMetrics
from ..settings import PromoteSettings
from .card_parts import (
    FINDS,
    errors_and_speed,
    examples_of_label,
    figure,
    learned_rows,
    limits,
    number,
    place_of,
    safe,
)

PAPER = "https://arxiv.org/abs/1810.03993"
MOST_LABELS = 30  # of more, a catalog say, only the count is told
ROLES = {STUDENT: "this pipeline", PROMPTED: "the prompted original", BASELINE: "baseline"}
Definitions = Mapping[str, Mapping[str, str]]


def write_card(
    nlp: Language,
    lineage: Lineage,
    metrics: Mapping[str, TaskMetrics],
    definitions: Definitions,
) -> str:
    """Write what somebody who gets a pipeline has to know of it.

    nlp (Language): The pipeline.
    lineage (Lineage): Where it comes from.
    metrics (Mapping[str, TaskMetrics]): What was measured, by task.
    definitions (Mapping[str, Mapping[str, str]]): What labels mean, by task and label.
    RETURNS (str): Markdown, the same for the same figures. It holds no text of the dataset.
    """
    md = MarkdownRenderer()
    found = {task: metrics[task] for task in lineage.students}
    md.add(md.title(1, safe(lineage.name)))
    md.add(describe_pipeline(found))
    md.add(f"Written by `spacy hitl promote`, after {md.link('Mitchell et al. (2019)', PAPER)}.")
    _add_details(md, nlp, lineage)
    _add_use(md, nlp, lineage, found)
    _add_labels(md, found, definitions)
    _add_figures(md, found)
    _add_training(md, lineage)
    md.add(md.title(2, "Limits"))
    md.add(md.list(limits(lineage, found)))
    return md.text + "\n"


def describe_pipeline(metrics: Mapping[str, TaskMetrics]) -> str:
    """RETURNS (str): What a pipeline does, in a sentence."""
    parts = (
        f"{FINDS.get(m.header.kind, m.header.kind)} ({m.header.task})" for m in metrics.values()
    )
    return f"A spaCy pipeline for {', '.join(parts)}, distilled from a prompted model."


def _add_details(md: MarkdownRenderer, nlp: Language, lineage: Lineage) -> None:
    versions = ", ".join(f"{name} {version}" for name, version in lineage.versions)
    rows = [
        ("Language", f"`{nlp.lang}`"),
        ("Components", ", ".join(f"`{name}`" for name in nlp.pipe_names)),
        ("Needs", f"spaCy {nlp.meta['spacy_version']}"),
        ("Made with", f"spacy-hitl {lineage.spacy_hitl}, {versions}"),
        ("License", safe(nlp.meta["license"]) or "not given"),
        ("Author", safe(nlp.meta["author"]) or "not given"),
    ]
    md.add(md.title(2, "Details"))
    md.add(md.table(rows, header=("", "")))


def _add_use(
    md: MarkdownRenderer, nlp: Language, lineage: Lineage, metrics: Mapping[str, TaskMetrics]
) -> None:
    models = sorted({s.prompt.model for s in lineage.students.values() if s.prompt is not None})
    asked = " and ".join(md.code(safe(model)) for model in models) or "a prompted model"
    md.add(md.title(2, "Use"))
    md.add(
        f"It annotates texts like those it was measured on as {asked} did when prompted, without "
        "asking a model. Other kinds of texts, other languages and decisions on people by these "
        "annotations alone are out of scope: nothing here was measured on them."
    )
    places = [f"{place_of(m.header)}  # {m.header.task}" for m in metrics.values()]
    load = (
        f'nlp = spacy.load("{nlp.lang}_{lineage.name}")  # the package; or the path of the folder'
    )
    md.add(
        md.code_block("\n".join(["import spacy", "", load, 'doc = nlp("...")', *places]), "python")
    )


def _add_labels(
    md: MarkdownRenderer, metrics: Mapping[str, TaskMetrics], definitions: Definitions
) -> None:
    md.add(md.title(2, "Labels"))
    for task, m in metrics.items():
        md.add(md.title(3, safe(task)))
        labels, told = m.header.labels, definitions.get(task, {})
        if m.header.catalog is not None:
            name = md.code(safe(plain_name(m.header.catalog)))
            md.add(f"{len(labels)} entries of the catalog {name}.")
        elif len(labels) > MOST_LABELS:
            md.add(f"{len(labels)} labels.")
        else:
            rows = [
                (md.code(safe(label)), safe(told.get(label, "not defined"))) for label in labels
            ]
            md.add(md.table(rows, header=("Label", "Meaning")))


def _add_figures(md: MarkdownRenderer, metrics: Mapping[str, TaskMetrics]) -> None:
    md.add(md.title(2, "Figures"))
    rows = [row for m in metrics.values() for row in _system_rows(m)]
    columns = ("Score", "Of", "Value", "95% interval", "Words/s", "MB")
    md.add(md.table(rows, header=columns, aligns=("l", "l", "r", "l", "r", "r")))
    md.add(md.list(_basis(m) for m in metrics.values()))
    for task, m in metrics.items():
        student = m.by_role(STUDENT)
        if student is None or not student.labels or len(student.labels) > MOST_LABELS:
            continue
        md.add(md.title(3, f"{safe(task)}, by label"))
        label_rows = [
            (
                md.code(safe(label.label)),
                figure(label.p, label.p_bounds),
                figure(label.r, label.r_bounds),
                figure(label.f, label.f_bounds),
                f"{examples_of_label(label):,}",
            )
            for label in student.labels
        ]
        header = ("Label", "Precision", "Recall", "F", "In gold")
        md.add(md.table(label_rows, header=header, aligns=("l", "r", "r", "r", "r")))
        _add_slices(md, task, student)


def _add_slices(md: MarkdownRenderer, task: str, student: SystemScore) -> None:
    if not student.slices:
        return
    md.add(md.title(3, f"{safe(task)}, by part of the texts"))
    shown = student.slices[:MOST_LABELS]
    rows = [
        (safe(s.by), safe(plain_name(s.value)), f"{s.texts:,}", figure(s.score, (s.low, s.high)))
        for s in shown
    ]
    md.add(md.table(rows, header=("By", "Part", "Texts", "Score"), aligns=("l", "l", "r", "r")))
    if len(shown) < len(student.slices):
        md.add(f"And {len(student.slices) - len(shown):,} parts more, in the metrics.")


def _system_rows(m: TaskMetrics) -> List[Tuple[str, ...]]:
    systems = [m.by_role(role) for role in (STUDENT, PROMPTED, BASELINE, PRODUCTION)]
    return [
        (
            f"`{m.main}`",
            ROLES.get(s.role, "the pipeline before it")
            + (f", {s.name}" if s.role == BASELINE else ""),
            f"{s.score:.3f}",
            f"{s.low:.3f} to {s.high:.3f}",
            number(s.words_per_s if s.speed is None else s.speed.words_per_s, "{:,.0f}"),
            number(s.megabytes, "{:.1f}"),
        )
        for s in systems
        if s is not None
    ]


def _basis(m: TaskMetrics) -> str:
    """What the figures of a task rest on, in a sentence."""
    who = {PERSON: "by people", "import": "from a file"}
    origins = ", ".join(f"{n:,} {who.get(origin, origin)}" for origin, n in m.origins)
    seen = "blind" if m.blind else "not blind: some were decided with a proposal in view"
    line = f"{safe(m.header.task)}: {m.gold_texts:,} gold texts, decided {origins}; {seen}."
    return " ".join([line, *errors_and_speed(m), *map(safe, m.notes)])


def _add_training(md: MarkdownRenderer, lineage: Lineage) -> None:
    md.add(md.title(2, "Training data"))
    rows = [row for task, s in lineage.students.items() for row in learned_rows(task, s)]
    header = ("Task", "Corpus", "SHA-256", "Decided", "Proposed by a model")
    md.add(md.table(rows, header=header, aligns=("l", "l", "l", "r", "r")))
    md.add(
        "A decided text was decided on by people or read from a file; a proposed one carries what "
        'the model answered and nobody looked at. `nlp.meta["hitl"]` holds all digests, and '
        "`spacy hitl lineage` shows them. The texts are not in this pipeline; single words of "
        "them are, in its vocabulary."
    )
    prompts = [_prompt_row(task, s) for task, s in lineage.students.items()]
    md.add(md.table(prompts, header=("Task", "Model that proposed", "Task and prompt")))


def _prompt_row(task: str, student: StudentLineage) -> Tuple[str, ...]:
    prompt = student.prompt
    return (safe(task), "not known" if prompt is None else safe(prompt.model), student.task_digest)


def fill_meta(
    nlp: Language,
    lineage: Lineage,
    metrics: Mapping[str, TaskMetrics],
    settings: PromoteSettings,
) -> None:
    """Set what spaCy's own meta says of a pipeline.

    nlp (Language): Its meta gets name, description, license, author, sources and performance.
    lineage (Lineage): Where it comes from.
    metrics (Mapping[str, TaskMetrics]): What was measured, by task.
    settings (PromoteSettings): License and author.
    """
    found = {task: metrics[task] for task in lineage.students}
    nlp.meta.update(name=lineage.name, license=settings.license, author=settings.author)
    nlp.meta["description"] = describe_pipeline(found)
    nlp.meta["performance"] = {
        name: score for s in lineage.students.values() for name, score in s.score.items()
    }
    nlp.meta["sources"] = _sources(lineage.students.values())


def _sources(students: Collection[StudentLineage]) -> List[Dict[str, str]]:
    decided = sum(c.decisions for s in students if s.learned for c in s.learned.corpora)
    models = sorted({s.prompt.model for s in students if s.prompt is not None})
    found = [f"Answers of {model}" for model in models]
    if decided:
        found.insert(0, f"{decided:,} decisions")
    return [{"name": name} for name in found]
