"""A project that was evaluated: files as `evaluate` and `distill` leave them, without a model."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List, Sequence

from spacy_hitl.dataset.store import Dataset
from spacy_hitl.evaluate.figures import Figures, Found
from spacy_hitl.io import text_digest, write_json
from spacy_hitl.records import (
    Annotation,
    CategoryAnnotation,
    Decision,
    RelationAnnotation,
    Row,
    SpanAnnotation,
    TaskHeader,
    TaskRow,
)
from spacy_hitl.scoring.curves import Curve, CurvePoint
from spacy_hitl.scoring.outputs import write_outputs
from spacy_hitl.scoring.results import LlmUse, Speed, TaskMetrics, main_score
from spacy_hitl.settings import LaneSettings

CONFIG = Path("report.cfg")
HOSTILE = "<script>document.title = 'owned'</script> <img src=x onerror=alert(1)>"
LABEL = '<i onclick="x">$a_1$ & co</i>'
TEXTS = (
    "My K10 from Kestrel is fast, the Nebula is not.",
    f"The K10 said {HOSTILE} and then the Nebula died.",
    "מישהו ניסה את ה K10? הסוללה שלי מתה",
    "Nothing to see here 👩\u200d🚒",
)
HEADERS = {
    "product": TaskHeader("product", "ner", (LABEL, "MAKER"), "d1"),
    "opinions": TaskHeader("opinions", "spancat", ("PRAISE", "COMPLAINT"), "d2", spans_key="sc"),
    "topics": TaskHeader("topics", "textcat", ("SPEED", "BATTERY"), "d3"),
    "mood": TaskHeader("mood", "textcat", ("HAPPY", "SAD"), "d4", exclusive=True),
    "link": TaskHeader("link", "linking", ("P1", "P2"), "d5"),
    "made": TaskHeader("made", "relations", ("MADE_BY",), "d6"),
}
STUDENT, PROMPTED, BASELINE = "training/<b>/model-best", "configs/prototype.cfg", "lookup"
COUNT = 40  # gold texts of each task


def span(text: str, words: str, label: str, **more: Any) -> List[SpanAnnotation]:
    """The first place of some words, if there is one."""
    start = text.find(words)
    return [] if start < 0 else [SpanAnnotation(start, start + len(words), label, **more)]


def wanted(task: str, text: str, n: int) -> Annotation:
    """What is right."""
    kind = HEADERS[task].kind
    if task == "mood":
        return Annotation(cats=(CategoryAnnotation("SAD" if n % 4 == 1 else "HAPPY"),))
    if kind == "textcat":
        return Annotation(cats=(CategoryAnnotation("SPEED"),) if "fast" in text else ())
    phones = span(text, "K10", LABEL) + span(text, "Nebula", LABEL)
    if kind == "linking":
        return Annotation(spans=tuple(replace(s, kb_id="P1") for s in phones))
    if kind == "relations":
        maker = span(text, "Kestrel", "MAKER")
        ends = [(h.start, h.end, t.start, t.end) for h in phones[:1] for t in maker]
        return Annotation(relations=tuple(RelationAnnotation(*e, "MADE_BY") for e in ends))
    if kind == "spancat":
        phones = [replace(s, label="PRAISE") for s in phones]
        return Annotation(spans=(*phones, *span(text, "K10 from", "COMPLAINT")))
    return Annotation(spans=tuple(sorted(phones + span(text, "Kestrel", "MAKER"))))


def found(task: str, text: str, n: int) -> Annotation:
    """What the student says: every kind of error now and then."""
    right = wanted(task, text, n)
    if HEADERS[task].kind == "textcat":
        names = HEADERS[task].labels
        return right if n % 3 else Annotation(cats=(CategoryAnnotation(names[n % 2]),))
    if HEADERS[task].kind == "relations":
        return Annotation() if n % 3 else right
    spans = list(right.spans)
    if n % 5 == 1 and spans:
        spans[0] = replace(spans[0], start=max(0, spans[0].start - 4))
    if n % 5 == 2 and spans:
        spans.pop()
    if n % 5 == 3:
        spans += span(text, "see", HEADERS[task].labels[0])
    if n % 5 == 4 and spans:
        spans[0] = replace(spans[0], label="MAKER", kb_id="P2" if spans[0].kb_id else None)
    if n % 10 == 6 and spans:
        first = spans[0]
        spans[0] = replace(
            first, start=first.start + 1, label="MAKER", kb_id="P2" if first.kb_id else None
        )
    return Annotation(spans=tuple(replace(s, score=0.5 + 0.01 * (n % 37)) for s in spans))


def cat_scores(task: str, text: str, n: int) -> Any:
    """Of every category, some of them on the wrong side."""
    if HEADERS[task].kind != "textcat":
        return ()
    holds = {c.label for c in found(task, text, n).cats}
    return tuple(
        (name, round(abs((name not in holds) - 0.5 - 0.01 * (n % 41)), 4))
        for name in HEADERS[task].labels
    )


def rows_of(task: str) -> List[TaskRow]:
    """The gold texts: four that repeat with a number."""
    texts = [f"{TEXTS[n % 4]} ({n})" for n in range(COUNT)]
    return [
        TaskRow(t, text_digest(t), "gold", wanted(task, t, n), origin="person")
        for n, t in enumerate(texts)
    ]


def metrics_of(task: str, **more: Any) -> Any:
    """RETURNS (Tuple[TaskMetrics, List[GoldOutput]]): As `evaluate` makes them."""
    header, rows = HEADERS[task], rows_of(task)
    systems = [
        Found(BASELINE, "baseline", [Annotation() for _ in rows]),
        Found(PROMPTED, "prompted", [row.decision or Annotation() for row in rows]),
        Found(
            STUDENT,
            "student",
            [found(task, row.text, n) for n, row in enumerate(rows)],
            [cat_scores(task, row.text, n) for n, row in enumerate(rows)]
            if header.kind == "textcat"
            else (),
        ),
    ]
    figures = Figures(header, rows, systems)
    base, prompted, student = figures.scores()
    prompted = replace(prompted, llm=LlmUse(COUNT, 1000, 8e5, 4e4, 1.25, 900))
    student = replace(
        student, speed=Speed(30_000, (29_000, 31_000), 1.5, 9, 2, 150, "a CPU"), megabytes=2.5
    )
    values: Dict[str, Any] = {
        "header": header,
        "main": main_score(header)[0],
        "gold_texts": COUNT,
        "origins": (("person", COUNT),),
        "blind": True,
        "systems": (base, prompted, student),
        "comparisons": tuple(figures.comparisons()),
        **more,
    }
    return TaskMetrics(**values), figures.outputs()


def write_task(task: str, *, outputs: bool = True, **more: Any) -> TaskMetrics:
    """Write the metrics of a task, and what its systems found."""
    metrics, lines = metrics_of(task, **more)
    write_json(Path(f"metrics/{task}.json"), metrics.to_dict())
    if outputs:
        write_outputs(Path(f"metrics/outputs/{task}.jsonl"), metrics.header, lines)
    return metrics


def write_curve(task: str, **more: Any) -> None:
    """Write a learning curve."""
    header = HEADERS[task]
    values: Dict[str, Any] = {
        "task": task,
        "task_digest": header.task_digest,
        "main": main_score(header)[0],
        "config": "configs/x.cfg",
        "reviewed": 100,
        "scored": 100,
        "folds": 5,
        "splits": 5,
        "seed": 0,
        "minutes": 10.0,
        "seconds": 60.0,
        "spacy": "3.8",
        "spacy_hitl": "0",
        "points": (
            CurvePoint(0.5, 50, 0.7, 0.6, 0.8),
            CurvePoint(1.0, 100, 0.8, 0.7, 0.9, (0.1, 0.02, 0.2), 0.99),
        ),
        **more,
    }
    write_json(Path(f"training/{task}/curve.json"), Curve(**values).to_dict())


def write_decisions(task: str, seconds: Sequence[float]) -> None:
    """Store answers of a person that took so long."""
    with Dataset(Path("datasets/hitl.db")) as dataset:
        rows = [Row("posts.jsonl", str(n), f"text {n}") for n in range(len(seconds))]
        dataset.add_rows(rows, LaneSettings())
        dataset.add_decisions(
            [
                Decision(
                    text_digest=text_digest(row.text),
                    task=task,
                    action="accept",
                    annotator="ann",
                    origin="person",
                    task_digest=HEADERS[task].task_digest,
                    annotation=Annotation(),
                    uid=row.id,
                    seconds=value,
                    time=1000.0 + n,
                )
                for n, (row, value) in enumerate(zip(rows, seconds, strict=True))
            ]
        )


def write_config(tasks: Sequence[str] = tuple(HEADERS)) -> None:
    """Write a config: the report reads the names of the components and [hitl] only."""
    parts = ["[nlp]", 'lang = "en"', "[components]"]
    for task in tasks:
        parts += [f"[components.{task}]", 'factory = "hitl_llm"']
    floors = "\n".join(f"{task} = 0.5" for task in tasks if task != "mood")
    parts += ["[hitl]", "[hitl.promote]", 'name = "phones"', "[hitl.promote.floors]", floors]
    CONFIG.write_text("\n".join(parts))


def write_world(tasks: Sequence[str] = tuple(HEADERS)) -> None:
    """Everything the report can show, in the current folder."""
    write_config(tasks)
    for task in tasks:
        write_task(task)
        write_curve(task)
    write_decisions(tasks[0], [2.0 + n % 7 for n in range(30)])
