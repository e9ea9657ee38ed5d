"""The mixes of decisions and proposals that a student may learn from, as changes of its config."""

import inspect
from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Tuple

from confection import Config
from spacy.util import registry

from ...errors import Errors, InputError
from ...records import TRAIN, TaskRow
from .inputs import Student, get_block

DISTILL = "spacy-hitl.distill.v1"
WARM_UPS = (DISTILL, "spacy-hitl.distill_rationales.v1")
DEFAULT_RATE = 0.001  # of spaCy's Adam, and of the warm-up
MIN_REPEAT, MAX_REPEAT = 3, 20


@dataclass(frozen=True)
class Mix:
    """What a student learns from. config: variables not filled in."""

    name: str
    what: str
    config: Config


def make_mixes(student: Student) -> List[Mix]:
    """Make the configs that are compared, the simplest mix first.

    student (Student): The user's config and its corpus.
    RETURNS (List[Mix]): Human only, LLM only, both, weighted, warm-up then tune; and the config as
        it is, if it is none of these.
    RAISES (InputError): If there are no proposals to compare with, or the config's callback is
        not one of ours: it can't be told what that reads.
    """
    proposals = count_proposals(student.rows)
    if not proposals:
        raise InputError(Errors.H342.format(task=student.header.task, path=student.path))
    warm_up = warm_up_of(student)
    repeat = repeat_of(student.rows)
    found = []
    for name, what, reading in (
        ("human", "decisions", (True, False, 1)),
        ("llm", "proposals", (False, True, 1)),
        ("both", "decisions and proposals", (True, True, 1)),
        ("weighted", f"decisions {repeat} times, and proposals", (True, True, repeat)),
    ):
        config = _with_reading(student, *reading)
        if warm_up is not None:
            config["initialize"]["after_init"] = None
            move_to_loop(config, warm_up, proposals)
        found.append(Mix(name, what, config))
    config = _with_reading(student, True, False, 1)
    if warm_up is None:
        path = get_block(student.config, student.reader)["path"]
        block = {"@callbacks": DISTILL, "path": path, "task": student.header.task}
        config.setdefault("initialize", {})["after_init"] = block
    found.append(Mix("warm-up", "warm-up on proposals, then decisions", config))
    if all(mix.config != student.config for mix in found):
        found.append(Mix("as given", "what the config says", student.config.copy()))
    return found


def count_proposals(rows: Tuple[TaskRow, ...]) -> int:
    """RETURNS (int): Texts of lane train without a decision, with a usable proposal."""
    return sum(
        row.lane == TRAIN
        and row.decision is None
        and row.proposal is not None
        and row.proposal.usable
        for row in rows
    )


def repeat_of(rows: Tuple[TaskRow, ...]) -> int:
    """RETURNS (int): How often decisions come to weigh as much as the proposals: 3 to 20 times."""
    decided = sum(row.lane == TRAIN and row.decision is not None for row in rows)
    return min(MAX_REPEAT, max(MIN_REPEAT, round(count_proposals(rows) / max(1, decided))))


def warm_up_of(student: Student) -> Optional[Dict[str, Any]]:
    """RETURNS (Optional[Dict[str, Any]]): The block of the config's warm-up, if it has one.
    RAISES (InputError): If [initialize.after_init] is something else.
    """
    block = student.config.get("initialize", {}).get("after_init")
    if block is None:
        return None
    name = block.get("@callbacks")
    if name not in WARM_UPS:
        problem = f"[initialize.after_init] is '{name}', and it can't be told what that reads"
        raise InputError(Errors.H340.format(config=student.path, problem=problem))
    found: Dict[str, Any] = block
    return found


def move_to_loop(config: Config, warm_up: Dict[str, Any], texts: int) -> None:
    """Give a mix without a warm-up the updates and the learn rate that the warm-up had.

    Else a loop that only tunes, short and gentle, would have to do all of it.

    config (Config): Changed in place: `max_steps` grows by the updates of the warm-up (0 means no
        limit and stays), and a learn rate below 0.001 becomes 0.001.
    warm_up (Dict[str, Any]): The block of the callback.
    texts (int): How many texts the warm-up reads.
    """
    make = registry.callbacks.get(warm_up["@callbacks"])
    values = {n: p.default for n, p in inspect.signature(make).parameters.items()}
    values.update(warm_up)
    training = config["training"]
    if training.get("max_steps"):
        updates = int(values["epochs"]) * -(-texts // int(values["batch_size"]))
        training["max_steps"] += updates
    optimizer = training.get("optimizer", {})
    rate = optimizer.get("learn_rate")
    if isinstance(rate, float) and rate < DEFAULT_RATE:
        optimizer["learn_rate"] = DEFAULT_RATE


def _with_reading(student: Student, decisions: bool, proposals: bool, repeat: int) -> Config:
    """RETURNS (Config): A copy; only what is read otherwise than before is written down."""
    config = student.config.copy()
    block = get_block(config, student.reader)
    block.pop("weights", None)  # they would weigh otherwise than the mix says
    defaults = {"decisions": True, "proposals": False, "repeat": 1}
    wanted = {"decisions": decisions, "proposals": proposals, "repeat": repeat}
    for key, value in wanted.items():
        if block.get(key, defaults[key]) != value:
            block[key] = value
    return config
