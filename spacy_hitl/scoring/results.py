"""What evaluation finds and promotion judges: metrics/<task>.json."""

from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Optional, Sequence, Tuple

from ..io import read_json
from ..records import Annotation, Record, TaskHeader

BASELINE, PROMPTED, STUDENT, PRODUCTION = ROLES = (
    "baseline",
    "prompted",
    "student",
    "production",
)

Bounds = Tuple[float, float]  # 95% interval


@dataclass(frozen=True)
class LabelScore(Record):
    """Counts and scores of one label, with their 95% intervals."""

    label: str
    tp: int
    fp: int
    fn: int
    p: float
    r: float
    f: float
    p_bounds: Optional[Bounds] = None
    r_bounds: Optional[Bounds] = None
    f_bounds: Optional[Bounds] = None


@dataclass(frozen=True)
class ErrorCount(Record):
    """How often a kind of error was made on a label.

    kind: "missed", "spurious", "boundary", "label" or "both" (see `scoring.error_types`); label:
    the wanted one, the found one if nothing was wanted.
    """

    kind: str
    label: str
    count: int


@dataclass(frozen=True)
class Confusion(Record):
    """How often one category was wanted and another one found."""

    wanted: str
    found: str
    count: int


@dataclass(frozen=True)
class SliceScore(Record):
    """The main score on a part of the gold texts.

    by: what the texts were sorted by ("length", "source", "label", or a field of their meta);
    value: which part. texts: how many.
    """

    by: str
    value: str
    texts: int
    score: float
    low: float
    high: float


@dataclass(frozen=True)
class Speed(Record):
    """How fast a trained pipeline is, on one core, warm.

    words_per_s: median of the runs over all gold texts; runs: each of them. p50_ms, p99_ms: of
    single documents. cold_start_s: from the start of Python to the first annotated text.
    peak_megabytes: memory of a process that loads it and annotates the gold texts. processor: what
    it was measured on. texts: how many gold texts there was time for in a run; singles: on their
    own. core_share: how much of the core it got; where that is far below 1, other programs were
    running too, and it is faster than the figures say.
    """

    words_per_s: float
    runs: Tuple[float, ...] = ()
    p50_ms: Optional[float] = None
    p99_ms: Optional[float] = None
    cold_start_s: Optional[float] = None
    peak_megabytes: Optional[float] = None
    processor: Optional[str] = None
    texts: Optional[int] = None
    singles: Optional[int] = None
    core_share: Optional[float] = None


@dataclass(frozen=True)
class LlmUse(Record):
    """What 1,000 texts cost when the prompted component asks, from the stored answers.

    answers: how many the figures rest on. seconds: of waiting, one request after the other; None
    where the store does not know. cost: in the currency of [hitl.prices]; None without a price.
    """

    answers: int
    requests: float
    prompt_tokens: Optional[float] = None
    completion_tokens: Optional[float] = None
    cost: Optional[float] = None
    seconds: Optional[float] = None


@dataclass(frozen=True)
class Utility(Record):
    """What 1,000 texts are worth, by the [hitl.utility] of the task: higher is better.

    value, low, high: with its 95% interval; errors and running cost are in it.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class SystemScore(Record):
    """One system on one task's gold texts.

    name: what it is, as given; role: baseline, prompted, student or production.
    score, low, high: the main score and its 95% interval.
    words_per_s: None where it says nothing (baselines, models over a network or replayed).
    digest: of the student's own folder; needs: the components of other folders that it was measured
    with, and the digests of these.
    """

    name: str
    role: str
    score: float
    low: float
    high: float
    p: float
    r: float
    labels: Tuple[LabelScore, ...] = ()
    accuracy: Optional[float] = None
    failed: int = 0
    words_per_s: Optional[float] = None
    megabytes: Optional[float] = None
    digest: Optional[str] = None
    needs: Tuple[Tuple[str, str], ...] = ()
    threshold: Optional[float] = None
    gain: Optional[Tuple[float, float, float]] = None
    errors: Tuple[ErrorCount, ...] = ()
    confusion: Tuple[Confusion, ...] = ()
    slices: Tuple[SliceScore, ...] = ()
    speed: Optional[Speed] = None
    llm: Optional[LlmUse] = None
    utility: Optional[Utility] = None


@dataclass(frozen=True)
class Comparison(Record):
    """One system against another, paired: on the same texts.

    value, low, high: difference of the main score with its 95% interval. better: probability that
    the first is better. utility: what 1,000 texts are worth more with the first.
    """

    first: str
    second: str
    value: float
    low: float
    high: float
    better: float
    utility: Optional[Utility] = None


@dataclass(frozen=True)
class TaskMetrics(Record):
    """All systems on one task, on the same gold texts.

    main: name of the main score, prefixed by the component. origins: who decided on the gold
    texts ("person", "import") and how often. blind: whether no proposal was seen.
    gold_digest, train_digest: SHA-256 of the two files that were read. human_seconds: of the
    decisions on the task outside gold, None if not known. notes: what must be said beside the
    figures, in sentences. human_gold_seconds: of the decisions on gold.
    """

    header: TaskHeader
    main: str
    gold_texts: int
    origins: Tuple[Tuple[str, int], ...]
    blind: bool
    systems: Tuple[SystemScore, ...] = ()
    comparisons: Tuple[Comparison, ...] = ()
    gold_digest: Optional[str] = None
    train_digest: Optional[str] = None
    human_seconds: Optional[float] = None
    notes: Tuple[str, ...] = ()
    human_gold_seconds: Optional[float] = None

    def by_role(self, role: str) -> Optional[SystemScore]:
        """RETURNS (Optional[SystemScore]): The best system of a role."""
        found = [s for s in self.systems if s.role == role]
        return max(found, key=lambda s: s.score, default=None)

    def compared(self, first: str, second: str) -> Optional[Comparison]:
        """RETURNS (Optional[Comparison]): The first system against the second, by their names."""
        for c in self.comparisons:
            if (c.first, c.second) == (first, second):
                return c
            if (c.first, c.second) == (second, first):
                u = c.utility
                turned = None if u is None else Utility(-u.value, -u.high, -u.low)
                return Comparison(first, second, -c.value, -c.high, -c.low, 1 - c.better, turned)
        return None


@dataclass(frozen=True)
class GoldOutput(Record):
    """One gold text with what was wanted and what each system found: metrics/outputs/<task>.jsonl,
    a TaskHeader and then these. It holds texts: keep it where the dataset is kept.

    found: by the name of the system, in the order of the metrics. cat_scores: by the name of the
    system, its score of every category of the task, of those that do not hold too.
    """

    text: str
    text_digest: str
    wanted: Annotation
    found: Tuple[Tuple[str, Annotation], ...]
    cat_scores: Tuple[Tuple[str, Tuple[Tuple[str, float], ...]], ...] = ()


def main_score(header: TaskHeader) -> Tuple[str, str]:
    """RETURNS (Tuple[str, str]): Name of a task's main score, and how labels are averaged."""
    if header.kind == "textcat" and header.exclusive:
        return f"{header.task}_cats_macro_f", "macro"
    names = {
        "ner": "ents_f",
        "spancat": "spans_f",
        "textcat": "cats_micro_f",
        "linking": "nel_f",
        "relations": "rel_f",
    }
    return f"{header.task}_{names.get(header.kind, 'f')}", "micro"  # 'f': a kind of a user's own


def read_all_metrics(folder: Path, tasks: Sequence[str]) -> Dict[str, TaskMetrics]:
    """Read what evaluation wrote.

    folder (Path): The folder with one JSON file per task.
    tasks (Sequence[str]): The tasks to look for.
    RETURNS (Dict[str, TaskMetrics]): The metrics of those that were measured, by task.
    RAISES (InputError): If a file is not what it should be.
    """
    metrics = {}
    for task in tasks:
        path = folder / f"{task}.json"
        if not path.exists():
            continue
        value = read_json(path, what="metrics")
        metrics[task] = TaskMetrics.from_dict(value, where=str(path))
    return metrics
