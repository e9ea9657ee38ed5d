"""The page: what goes where, and the one HTML file that holds it all."""

from pathlib import Path
from typing import Optional

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ...scoring.results import PROMPTED, SystemScore
from ...settings import PromoteSettings
from . import figures, tables, words
from .curve_plots import calibration_plot, curve_plot, threshold_plot
from .examples import collect
from .parts import Part, Section, mean_words
from .plots import errors_plot, labels_plot, speed_plot, systems_plot, time_plot
from .scored import judge
from .sources import Evidence, TaskEvidence

TEMPLATE = "report.html.jinja"
AGAIN = "run 'spacy hitl evaluate ... --output' again"


def render(evidence: Evidence) -> str:
    """Write the page.

    evidence (Evidence): What is known about a project.
    RETURNS (str): HTML, the same for the same evidence: no dates, no paths but those in it.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    time = Part("time", "Time per decision")
    time.add_plot(
        time_plot(evidence.seconds),
        "No time per decision: fewer than ten decisions were made in 'spacy hitl review', which "
        "measures them.",
    )
    return environment.get_template(TEMPLATE).render(
        title=f"Evaluation of {evidence.promote.name}",
        missing=words.not_measured(evidence),
        warnings=words.warnings_of(evidence),
        sections=[make_section(task, evidence.promote) for task in evidence.tasks],
        time=time,
        error_titles=words.ERROR_TITLES,
        terms=words.TERMS,
    )


def make_section(task: TaskEvidence, promote: PromoteSettings) -> Section:
    """RETURNS (Section): Everything about one task."""
    m, subject = task.metrics, task.subject
    parts = [_systems(task)]
    if subject is not None:
        prompted = m.by_role(PROMPTED)
        other = None if prompted is None or prompted.name == subject.name else prompted
        parts += [
            _labels(task, subject, other),
            _errors(task, subject),
            _slices(task, subject, other),
            _scores(task, subject),
            _curve(task),
        ]
    parts.append(_speed(task))
    return Section(
        key=figures.key(m),
        title=task.name,
        kind=figures.KINDS_IN_WORDS.get(m.header.kind, m.header.kind),
        gold=words.gold_sentence(m),
        notes=m.notes,
        sentences=tuple(words.summary(task, promote)),
        parts=tuple(part for part in parts if not part.is_empty),
        missing=tuple(line for part in parts for line in part.missing),
    )


def _part(task: TaskEvidence, key: str, title: str) -> Part:
    return Part(f"{figures.key(task.metrics)}-part-{key}", title)


def _systems(task: TaskEvidence) -> Part:
    part = _part(task, "systems", "Systems")
    part.add_plot(systems_plot(task.metrics))
    part.add_table(tables.systems_table(task.metrics))
    part.add_table(tables.comparisons_table(task.metrics))
    return part


def _labels(task: TaskEvidence, subject: SystemScore, other: Optional[SystemScore]) -> Part:
    part = _part(task, "labels", "Labels")
    part.add_plot(labels_plot(task.metrics, subject, other))
    part.add_table(tables.labels_table(task.metrics, subject))
    return part


def _errors(task: TaskEvidence, subject: SystemScore) -> Part:
    part = _part(task, "errors", "Errors")
    if not words.count_wrong(subject):
        return part
    part.add_plot(
        errors_plot(task.metrics, subject), f"No kinds of errors in the metrics file: {AGAIN}."
    )
    part.add_table(tables.confusion_table(task.metrics, subject))
    part.errors = collect(task.metrics.header, task.outputs, subject.name)
    if not task.outputs:
        part.missing.append(
            f"No examples: metrics/outputs/{task.name}.jsonl is not there; {AGAIN}."
        )
    return part


def _slices(task: TaskEvidence, subject: SystemScore, other: Optional[SystemScore]) -> Part:
    part = _part(task, "slices", "Parts of the gold texts")
    part.add_table(tables.slices_table(task.metrics, subject, other))
    return part


def _scores(task: TaskEvidence, subject: SystemScore) -> Part:
    part = _part(task, "scores", "Scores")
    header = task.metrics.header
    judged = judge(header, task.outputs, subject.name)
    if judged is not None:
        part.add_plot(threshold_plot(task.metrics, subject, judged))
        chosen = judge(header, task.outputs, subject.name, chosen=True)
        part.add_plot(None if chosen is None else calibration_plot(task.metrics, chosen))
    elif header.kind == "textcat":
        part.missing.append(f"No threshold curve and no calibration: no scores are kept; {AGAIN}.")
    else:
        part.missing.append(
            "No threshold curve and no calibration: this system gives its annotations no scores."
        )
    return part


def _curve(task: TaskEvidence) -> Part:
    part = _part(task, "curve", "Do more decisions pay?")
    plot = None if task.curve is None else curve_plot(task.metrics, task.curve)
    part.add_plot(
        plot,
        "No learning curve: run 'spacy hitl distill CONFIG --output "
        f"training/{task.name} --curve'.",
    )
    return part


def _speed(task: TaskEvidence) -> Part:
    part = _part(task, "speed", "Speed and cost")
    plot = speed_plot(task.metrics, mean_words(task.outputs))
    part.add_plot(
        plot,
        "No plot of speed against quality: fewer than two systems have a speed (a recorded answer "
        "says nothing about a model's).",
    )
    part.add_table(tables.speed_table(task.metrics))
    part.add_table(tables.cost_table(task.metrics))
    return part
