"""What asking a model costs, from its stored answers, and what people's decisions took."""

from typing import Dict, Iterable, List, Mapping, Optional, Sequence, Tuple, Union

from spacy.tokens import Doc

from ..dataset.reviews import DecisionHead, decided_texts, decision_heads
from ..dataset.store import Dataset
from ..llm.budget import price_of
from ..llm.store import ResponseStore
from ..records import BULK, GOLD, IMPORT, Response
from ..scoring.clock import worked_seconds
from ..scoring.results import LlmUse
from ..settings import Price, Settings
from ..tasks.base import get_proposals

TEXTS = 1000  # that the figures are for


def llm_use(docs: Sequence[Doc], task: str, settings: Settings) -> Optional[LlmUse]:
    """Add up what a prompted component used on some texts.

    docs (Sequence[Doc]): The texts, annotated by it.
    task (str): The task's name. If its component asks several tasks in one question, the figures
        are those of the whole question.
    settings (Settings): Where the answers are stored, and the prices.
    RETURNS (Optional[LlmUse]): Per 1,000 texts; None if no answer is stored.
    """
    proposals = [get_proposals(doc).get(task) for doc in docs]
    keys = [p.response_key for p in proposals if p is not None and p.response_key is not None]
    if not keys or not settings.responses.exists():
        return None
    store = ResponseStore(settings.responses)
    store.db.open(readonly=True)
    try:
        # Texts that are the same once masked share an answer: it was paid for once.
        answers = {key: store.get(key) for key in dict.fromkeys(keys)}
    finally:
        store.db.close()
    known = [answer for answer in answers.values() if answer is not None]
    texts = sum(answers[key] is not None for key in keys)
    return add_up(known, texts=texts, prices=settings.prices)


def add_up(
    answers: Sequence[Response], *, texts: int, prices: Mapping[str, Price]
) -> Optional[LlmUse]:
    """Add up answers, per 1,000 texts. Nothing is estimated: what is not known of any answer is
    None, what is not known of some is taken to be as of the others.

    answers (Sequence[Response]): Each of them once.
    texts (int): How many texts they answer.
    prices (Mapping[str, Price]): Money per million tokens, by model.
    RETURNS (Optional[LlmUse]): None without an answer.
    """
    if not answers:
        return None
    requests = TEXTS * len(answers) / texts
    prompt = _mean([a.prompt_tokens for a in answers])
    completion = _mean([a.completion_tokens for a in answers])
    cost = _mean([_price(a, prices) for a in answers])
    seconds = _mean([a.seconds for a in answers])
    return LlmUse(
        answers=len(answers),
        requests=requests,
        prompt_tokens=None if prompt is None else prompt * requests,
        completion_tokens=None if completion is None else completion * requests,
        cost=None if cost is None else cost * requests,
        seconds=None if seconds is None else seconds * requests,
    )


def _price(answer: Response, prices: Mapping[str, Price]) -> Optional[float]:
    price = prices.get(answer.model)
    if price is None or answer.prompt_tokens is None or answer.completion_tokens is None:
        return None
    return price_of(answer.prompt_tokens, answer.completion_tokens, price)


def _mean(values: Iterable[Optional[float]]) -> Optional[float]:
    known = [v for v in values if v is not None]
    return sum(known) / len(known) if known else None


def human_seconds(task: str, settings: Settings) -> Tuple[Optional[float], Optional[float]]:
    """Read how long people worked on a task. The dataset is not changed.

    task (str): The task.
    settings (Settings): Where the dataset is.
    RETURNS (Tuple[Optional[float], Optional[float]]): Seconds outside gold and on gold; each None
        if nobody decided there, or it is not known how long it took. Decisions from files and in
        bulk took no time that is known.
    """
    if not settings.dataset.exists():
        return None, None
    dataset = Dataset(settings.dataset)
    dataset.db.open(readonly=True)
    try:
        gold = decided_texts(dataset, task, lane=GOLD)
        tasks = [name for (name,) in dataset.tally("decisions", "task")]
        heads = list(decision_heads(dataset, tasks)) if tasks else []
    finally:
        dataset.db.close()
    return share_time(heads, task, gold=gold)


def share_time(
    heads: Iterable[DecisionHead], task: str, *, gold: "set[str]"
) -> Tuple[Optional[float], Optional[float]]:
    """Share the time of answers between the tasks they decide on, evenly.

    heads (Iterable[DecisionHead]): The decisions on all tasks, oldest first.
    task (str): The task whose share is wanted.
    gold (set[str]): Digests of the gold texts of that task.
    RETURNS (Tuple[Optional[float], Optional[float]]): Seconds outside gold and on gold.
    """
    last: Dict[str, float] = {}
    took: Dict[Tuple[str, Union[str, int]], Optional[float]] = {}
    parts: Dict[Tuple[str, Union[str, int]], List[DecisionHead]] = {}
    for d in heads:
        if d.origin == IMPORT or d.mode == BULK:
            continue
        key = (d.annotator, d.uid or len(parts))
        if key not in parts:
            before = last.get(d.annotator)
            timed = d.seconds is not None or (d.time is not None and before is not None)
            took[key] = worked_seconds(d, before) if timed else None
            if d.time is not None:
                last[d.annotator] = d.time
        parts.setdefault(key, []).append(d)
    sums: Dict[bool, Optional[float]] = {True: None, False: None}
    for answer, decided in parts.items():
        mine = [d for d in decided if d.task == task]
        seconds = took[answer]
        if mine and seconds is not None:
            tasks = len({d.task for d in decided})
            on_gold = mine[0].digest in gold
            sums[on_gold] = (sums[on_gold] or 0.0) + seconds / tasks
    return sums[False], sums[True]
