"""What to do next for each task: exactly one command, and why. Pure: from facts to words."""

from dataclasses import dataclass, replace
from typing import Callable, List, Mapping, Optional, Sequence, Tuple, Union

from .standing import BROKEN, CURRENT, MISSING, STALE, THIS, NextStep, TaskStatus

MORE = "MORE.jsonl"  # stands for a file that only the user can have
REVIEW_BY_EYE = "near_prompted", "above_floors", "beats_baseline", "no_regression"


@dataclass(frozen=True)
class Place:
    """What the commands of a project have in common.

    config: the prompted config, as it was given. texts: a file with texts, None if none was found.
    link: what production loads; version: where it points to, None without one. folders: [hitl]
    corpus, training and metrics. min_gold: of the gate. floors: tasks that have one. live: tasks
    that the pipeline in production has. lang: of the pipeline. code: as it was given.
    """

    config: str
    texts: Optional[str] = None
    link: str = "pipelines/pipeline"
    version: Optional[str] = None
    corpus: str = "corpus"
    training: str = "training"
    metrics: str = "metrics"
    configs: str = "configs"
    min_gold: int = 50
    floors: Tuple[str, ...] = ()
    live: Tuple[str, ...] = ()
    lang: str = "en"
    code: Optional[str] = None

    def step(self, step: str, why: str, *words: str) -> NextStep:
        """RETURNS (NextStep): A command of `spacy hitl`, with the user's own code."""
        own = () if self.code is None or words[0] == "init" else ("--code", self.code)
        return NextStep(step, ("spacy", "hitl", *words, *own), why)

    def more(self, why: str) -> NextStep:
        """RETURNS (NextStep): To add texts that only the user can have."""
        words = ("annotate", self.config, MORE)
        return self.step("annotate", f"{why} {MORE} stands for a file of yours", *words)


@dataclass(frozen=True)
class Waits:
    """A task can't go on before another one has."""

    task: str
    why: str


Found = Union[NextStep, Waits, None]
Rule = Callable[[TaskStatus, Place, Mapping[str, TaskStatus]], Found]


def next_steps(place: Place, tasks: Sequence[TaskStatus]) -> List[TaskStatus]:
    """Say for every task what to do next.

    place (Place): The project.
    tasks (Sequence[TaskStatus]): All of them; what they say of it already does not matter.
    RETURNS (List[TaskStatus]): The same with `next`. The steps of a task come in the order of the
        work; one that waits for another task has the command of that one.
    """
    by_name = {t.task: t for t in tasks}
    return [replace(t, next=_next(t, place, by_name, ())) for t in tasks]


def _next(
    t: TaskStatus, place: Place, tasks: Mapping[str, TaskStatus], behind: Tuple[str, ...]
) -> NextStep:
    for rule in RULES:
        found = rule(t, place, tasks)
        if isinstance(found, NextStep):
            return found
        if found is not None and found.task in tasks and found.task not in (*behind, t.task):
            other = _next(tasks[found.task], place, tasks, (*behind, t.task))
            return replace(other, why=f"{found.why} '{found.task}': {other.why}")
    return _apply(t, place)


def _annotate(t: TaskStatus, place: Place, tasks: Mapping[str, TaskStatus]) -> Found:
    if not any(lane.texts for lane in t.lanes.values()):
        if place.texts is None:
            return place.more("there is no text yet;")
        words = ("annotate", place.config, place.texts)
        return place.step("annotate", "there is no text yet", *words)
    p = t.proposals
    if p.usable == 0 and not (t.train.decided or t.train.in_part):
        if p.unusable:
            said = ", ".join(f"{n} {status}" for status, n in p.unusable.items())
            words = ("annotate", place.config, "--check")
            return place.step("check", f"no proposal can be used ({said}): ask why", *words)
        why = "nothing was proposed for it yet"
    elif p.usable and p.missing:
        why = f"{_texts(p.missing)} without a proposal"
    else:
        return None
    if place.texts is None:
        return place.more(f"{why};")
    return place.step("annotate", why, "annotate", place.config, place.texts)


def _review(t: TaskStatus, place: Place, tasks: Mapping[str, TaskStatus]) -> Found:
    wanted = [
        (max(0, place.min_gold - t.gold.decided), t.gold, "gold", place.min_gold),
        (int(not t.dev.decided), t.dev, "dev", 1),
        (int(not (t.train.decided or t.train.in_part)), t.train, "train", 1),
    ]
    missing = [
        f"{min(n, lane.open)} more {name} ({lane.decided} of at least {least})"
        for n, lane, name, least in wanted
        if n and lane.open
    ]
    if missing:
        why = f"decide on texts: {', '.join(missing)}"
        return place.step("review", why, "review", place.config, "--task", t.task)
    for lane, name in ((t.gold, "gold"), (t.dev, "dev"), (t.train, "train")):
        learned = lane.in_part if name == "train" else 0
        if not lane.decided and not learned:
            use = "nothing to measure on" if name == "gold" else "nothing to learn from"
            return place.more(f"no text of lane {name} is decided or can be: {use};")
    return None


def _export(t: TaskStatus, place: Place, tasks: Mapping[str, TaskStatus]) -> Found:
    if t.corpus.state == CURRENT:
        return None
    why = "nothing was exported" if t.corpus.state == MISSING else t.corpus.why
    return place.step("export", why, "export", place.config)


def _distill(t: TaskStatus, place: Place, tasks: Mapping[str, TaskStatus]) -> Found:
    if t.student.state not in (MISSING, BROKEN, STALE):
        return None
    if t.student.config is None:
        path = f"{place.configs}/{t.task}.cfg"
        words = ["init", path, "--name", t.task, "--corpus", f"{place.corpus}/{t.task}.jsonl"]
        words += [] if t.catalog is None else ["--catalog", t.catalog]
        words += [] if place.lang == "en" else ["--lang", place.lang]
        return place.step("init", "there is no training config for its student", *words)
    why = "there is no student yet" if t.student.state == MISSING else t.student.why
    return place.step("distill", why, *_distill_words(t, place))


def _distill_words(t: TaskStatus, place: Place) -> Tuple[str, ...]:
    config = t.student.config or f"{place.configs}/{t.task}.cfg"
    return ("distill", config, "--output", f"{place.training}/{t.task}")


def _evaluate(t: TaskStatus, place: Place, tasks: Mapping[str, TaskStatus]) -> Found:
    if t.figures.state == CURRENT and not t.figures.lacks:
        return None
    for name in t.needs:
        if name in tasks and not tasks[name].trained:
            return Waits(name, "it is measured with the student of")
    why = t.figures.lacks or t.figures.why or "the student was not measured yet"
    return place.step("evaluate", why, *_evaluate_words(t, place))


def _evaluate_words(t: TaskStatus, place: Place) -> Tuple[str, ...]:
    folders = "+".join(f"{place.training}/{name}/model-best" for name in (*t.needs, t.task))
    words = ["evaluate", place.config, folders]
    words += ["--gold", f"{place.corpus}/gold/{t.task}.jsonl"]
    words += ["--train", f"{place.corpus}/{t.task}.jsonl"]
    words += ["--output", f"{place.metrics}/{t.task}.json"]
    words += [] if place.version is None else ["--production", place.link]
    return tuple(words)


def _promote(t: TaskStatus, place: Place, tasks: Mapping[str, TaskStatus]) -> Found:
    if not t.gate.passed or t.production.runs == THIS:
        return None
    for name, other in tasks.items():
        unmeasured = name in place.floors and other.figures.state in (MISSING, BROKEN)
        older = other.gate.passed and other.figures.state != CURRENT
        if name != t.task and (unmeasured or older):
            return Waits(name, "it passes; promotion waits for")
    why = f"it passes: {t.figures.main} {t.figures.score or 0:.3f}"
    lost = [n for n in place.live if n in tasks and not tasks[n].gate.passed]
    if not lost:
        return place.step("promote", why, "promote", place.config)
    why += f"; {', '.join(lost)}, which production has, is held and would ask a model again"
    return place.step("promote", why, "promote", place.config, "--with-prompted")


def _held(t: TaskStatus, place: Place, tasks: Mapping[str, TaskStatus]) -> Found:
    if t.gate.passed is not False:
        return None
    if t.gate.held_by is not None:
        return Waits(t.gate.held_by, "it is held with")
    why = f"held: {t.gate.reasons[0]}" if t.gate.reasons else "held"
    if t.gate.reasons and t.gate.floor is None and t.gate.rules == ("above_floors",):
        why = f"held: set a floor for it in [hitl.promote.floors] of {place.config}, then promote"
        return place.step("promote", why, "promote", place.config)
    by_eye = any(rule in REVIEW_BY_EYE for rule in t.gate.rules)
    config, enough = t.student.config, "enough_gold" not in t.gate.rules
    if by_eye and enough and not t.student.suspects and config is not None:
        why += ". Its labels may be wrong: look for errors"
        return place.step("suspects", why, "suspects", config)
    if "within_limits" in t.gate.rules and not by_eye and enough:
        why += f". Make it smaller in {config}, then"
        return place.step("distill", why, *_distill_words(t, place), "--fresh")
    if t.gold.open or (enough and t.dev.open + t.train.open):
        why += ". More decisions may help"
        return place.step("review", why, "review", place.config, "--task", t.task)
    return place.more(f"{why}. All texts are decided, more of them may help:")


def _apply(t: TaskStatus, place: Place) -> NextStep:
    if t.production.waiting:
        why = f"{_texts(t.production.waiting)} of the audit wait for a decision"
        return place.step("review", why, "review", place.config, "--task", t.task)
    if t.production.fell and t.train.open:
        why = "its quality fell: decide on more texts, best on new ones"
        return place.step("review", why, "review", place.config, "--task", t.task)
    version = f"-{place.version[:8]}" if place.version else ""
    words = ("apply", place.link, place.texts or MORE, f"found{version}.jsonl")
    return place.step("apply", "it is promoted: use it", *words)


def _texts(n: int) -> str:
    return "1 text" if n == 1 else f"{n:,} texts"


RULES: Tuple[Rule, ...] = (
    _annotate,
    _review,
    _export,
    _distill,
    _evaluate,
    _promote,
    _held,
)
