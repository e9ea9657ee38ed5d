"""The summary in plain words: which system, how good, how sure, how far from others. Pure."""

from typing import Iterator, List, Optional

from ...records import PERSON
from ...scoring.results import (
    BASELINE,
    PRODUCTION,
    PROMPTED,
    STUDENT,
    Comparison,
    LabelScore,
    SystemScore,
    TaskMetrics,
)
from ...settings import PromoteSettings
from . import figures
from .sources import Evidence, TaskEvidence

FEW = 10  # wanted annotations; a label with fewer is not called the weakest
ERROR_WORDS = {
    "missed": "missed",
    "spurious": "found but not wanted",
    "boundary": "with a wrong boundary",
    "label": "with a wrong label",
    "both": "with wrong boundary and label",
}

ERROR_TITLES = {
    "missed": "Missed",
    "spurious": "Found, but not wanted",
    "boundary": "Wrong boundary",
    "label": "Wrong label",
    "both": "Wrong boundary and label",
}
TERMS = (
    (
        "95% interval",
        "Other gold texts of the same kind would have given another figure, in 95 of 100 cases "
        "within these bounds. Texts are the units: annotations of one text are not independent.",
    ),
    (
        "Difference, probability that it is better",
        "Both systems on the same texts, so that hard texts count against both.",
    ),
    ("P, R, F", "Precision, recall and their harmonic mean. Offsets and labels must be exact."),
    ("Baseline", "What needs no model: the majority, or a lookup of forms seen in training texts."),
    ("Prompted", "The component that asks a language model, which the student is to replace."),
    ("Student", "The small component that was trained from decisions and proposals."),
    (
        "Missed, spurious, boundary, label, both",
        "Not found; found but not wanted; at another place; under another label; both.",
    ),
)


def warnings_of(evidence: Evidence) -> List[str]:
    """Say what must be known before any figure is read.

    evidence (Evidence): All tasks.
    RETURNS (List[str]): Sentences; none if the gold texts were decided blind, by people.
    """
    said: List[str] = []
    metrics = [t.metrics for t in evidence.tasks]
    for whole in (True, False):
        names = [
            m.header.task
            for m in metrics
            if any(o != PERSON for o, _ in m.origins)
            and all(o != PERSON for o, _ in m.origins) == whole
        ]
        if names:
            said.append(
                f"{'Gold' if whole else 'Some of the gold'} decisions of {listed(names)} were "
                "imported from a file: no person made them in this project. Figures on them show "
                "how the tools work, not how good a system is for your users."
            )
    seen = [m.header.task for m in metrics if not m.blind]
    if seen:
        said.append(
            f"Gold decisions of {listed(seen)} were not all made blind: people saw a proposal. "
            "Such figures are biased towards the model that made the proposals."
        )
    said.extend(
        f"The figures of {t.name} are of an older student: '{t.newer}' is another model by now. "
        "Run 'spacy hitl evaluate' again."
        for t in evidence.tasks
        if t.newer is not None
    )
    return said


def listed(names: List[str]) -> str:
    """RETURNS (str): A list in words.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def gold_sentence(m: TaskMetrics) -> str:
    """RETURNS (str): What the figures of a task rest on."""
    origins = [
        f"{f'{n:,}' if len(m.origins) > 1 else 'all'} {'by people' if o == PERSON else 'imported'}"
        for o, n in m.origins
    ]
    blind = "blind" if m.blind else "not all of them blind"
    return f"Measured on {figures.count(m.gold_texts, 'gold text')} ({listed(origins)}), {blind}."


def summary(task: TaskEvidence, promote: PromoteSettings) -> List[str]:
    """Say what is to be known of a task.

    task (TaskEvidence): What was measured.
    promote (PromoteSettings): What a student must reach.
    RETURNS (List[str]): Sentences, the most important first.
    """
    m, subject = task.metrics, task.subject
    if subject is None:
        return ["Only the baseline was measured: give a config or a trained folder to evaluate."]
    said = [headline(m, subject)]
    for role in (BASELINE, PROMPTED, PRODUCTION):
        other = m.by_role(role)
        if other is not None and other.name != subject.name:
            said.append(compared(m, subject, other))
    said.extend(_business(m, subject))
    said.extend(_price(m, subject))
    said.extend(_errors(subject))
    if subject.role == STUDENT:
        said.extend(gate_facts(m, subject, promote))
    if subject.failed:
        said.append(
            f"It failed on {figures.count(subject.failed, 'text')}, which counts as found nothing."
        )
    return said


def headline(m: TaskMetrics, subject: SystemScore) -> str:
    """RETURNS (str): Which system, how good, how sure."""
    return (
        f"The {subject.role} ({subject.name}) reaches {figures.metric_name(m)} "
        f"{figures.score(subject.score)}; on other texts of this kind it would lie between "
        f"{figures.score(subject.low)} and {figures.score(subject.high)} (95% interval)."
    )


def compared(m: TaskMetrics, subject: SystemScore, other: SystemScore) -> str:
    """RETURNS (str): How far from another system, and whether that can be told."""
    names = {
        BASELINE: f"the baseline ({other.name})",
        PROMPTED: "the prompted original" if subject.role == STUDENT else "another prompt",
        PRODUCTION: "what is in production",
    }
    who = names[other.role]
    c = m.compared(subject.name, other.name)
    if c is None:
        return f"{_upper(who)} reaches {figures.score(other.score)}."
    distance = (
        f"{figures.score(abs(c.value))} {'above' if c.value >= 0 else 'below'} {who}, which has "
        f"{figures.score(other.score)} (difference {figures.signed_interval(c.low, c.high)})"
    )
    return f"It is {distance}; {_sure(c)}."


def _sure(c: Comparison) -> str:
    if c.low > 0:
        return f"it is better with a probability of {figures.probability(c.better)}"
    if c.high < 0:
        return f"it is worse with a probability of {figures.probability(1 - c.better)}"
    chance = figures.probability(c.better)
    return f"the texts can't tell which is better (probability that it is: {chance})"


def _business(m: TaskMetrics, subject: SystemScore) -> Iterator[str]:
    """What 1,000 texts are worth, if the config says what errors cost."""
    worth = [(s.utility.value, s) for s in m.systems if s.utility is not None]
    if len(worth) < 2 or subject.utility is None:
        return
    best = max(worth, key=lambda pair: pair[0])[1]
    most = max(m.systems, key=lambda s: s.score)
    u = best.utility
    assert u is not None
    sentence = (
        f"By [hitl.utility], the {figures.system_name(m, best)} is worth most: {u.value:,.2f} per "
        f"1,000 texts ({u.low:,.2f} to {u.high:,.2f}), errors and running cost counted"
    )
    if best.name != most.name:
        sentence += f", although the {figures.system_name(m, most)} is more accurate"
    yield sentence + "."


def _price(m: TaskMetrics, subject: SystemScore) -> Iterator[str]:
    """How fast, how large, and what the prompted original costs."""
    speed = subject.speed.words_per_s if subject.speed is not None else subject.words_per_s
    if speed is not None:
        size = "" if subject.megabytes is None else f" and takes {subject.megabytes:.1f} MB on disk"
        yield f"It reads {speed:,.0f} words a second{size}."
    if m.human_seconds is not None:
        gold = m.human_gold_seconds
        more = "" if gold is None else f", and {figures.duration(gold)} for the gold texts"
        yield f"People decided for {figures.duration(m.human_seconds)} to train it{more}."
    prompted = m.by_role(PROMPTED)
    use = None if prompted is None else prompted.llm
    if use is None:
        return
    parts = [f"{figures.number(use.requests)} requests"]
    tokens = [t for t in (use.prompt_tokens, use.completion_tokens) if t is not None]
    if tokens:
        parts.append(f"{sum(tokens):,.0f} tokens")
    if use.cost is not None:
        parts.append(f"{use.cost:,.2f} in money")
    if use.seconds is not None:
        parts.append(f"{figures.duration(use.seconds)} of waiting, one request after the other")
    yield f"The prompted component takes, for 1,000 texts, {listed(parts)}."


def _errors(subject: SystemScore) -> Iterator[str]:
    kinds = {kind: sum(e.count for e in subject.errors if e.kind == kind) for kind in ERROR_WORDS}
    everything = sum(kinds.values())
    if not count_wrong(subject):
        yield "It makes no error on the gold texts."
    elif everything:
        parts = [f"{n:,} {ERROR_WORDS[kind]}" for kind, n in kinds.items() if n]
        yield f"It makes {figures.count(everything, 'error')}: {listed(parts)}."
    weakest = weakest_label(subject)
    if weakest is not None:
        bounds = weakest.f_bounds
        sure = "" if bounds is None else f" ({figures.interval(*bounds)})"
        yield (
            f"Its weakest label is {weakest.label} with F {figures.score(weakest.f)}{sure}, of "
            f"those that gold holds at least {FEW} times."
        )


def count_wrong(subject: SystemScore) -> int:
    """RETURNS (int): False and missed annotations."""
    return sum(x.fp + x.fn for x in subject.labels)


def weakest_label(subject: SystemScore) -> Optional[LabelScore]:
    """RETURNS (Optional[LabelScore]): The lowest F of the labels that are not rare, if several."""
    known = [label for label in subject.labels if label.tp + label.fn >= FEW]
    return min(known, key=lambda x: (x.f, x.label)) if len(known) > 1 else None


def gate_facts(m: TaskMetrics, subject: SystemScore, promote: PromoteSettings) -> Iterator[str]:
    """YIELDS (str): What `spacy hitl promote` will look at first."""
    floor = promote.floors.get(m.header.task)
    if floor is None:
        yield "No floor is set for it in [hitl.promote.floors], so it can't be promoted."
    else:
        reached = "reached" if subject.score >= floor else "not reached"
        yield f"The floor in [hitl.promote.floors] is {floor:.2f}: {reached}."
    if m.gold_texts < promote.min_gold:
        yield (
            f"The gate asks for {promote.min_gold:,} gold texts or more; there are "
            f"{m.gold_texts:,}."
        )
    floors = promote.label_floors.get(m.header.task, {})
    low = [x.label for x in subject.labels if x.label in floors and x.f < floors[x.label]]
    if low:
        yield f"Below the floor of their label in [hitl.promote.label_floors]: {listed(low)}."
    margin = promote.margins.get(m.header.task, promote.margin)
    prompted = m.by_role(PROMPTED)
    c = None if prompted is None else m.compared(subject.name, prompted.name)
    if margin is not None and c is not None:
        kept = "kept" if c.low > -margin else "not kept"
        yield (
            f"The margin against the prompted original is {margin:.2f} (the interval must not go "
            f"below {figures.signed(-margin)}): {kept}."
        )


def not_measured(evidence: Evidence) -> str:
    """RETURNS (str): Which tasks the report lacks; empty if none."""
    names = list(evidence.missing)
    if not names:
        return ""
    pronoun = "it was" if len(names) == 1 else "they were"
    return f"Not in this report, since {pronoun} not evaluated: {listed(names)}."


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
