"""What is said of a new project, and the questions about what is not."""

from dataclasses import dataclass, replace
from typing import Callable, List, Optional, Tuple

import typer
from wasabi import msg

from ..errors import InputError

NONE = "none"  # no server


@dataclass(frozen=True)
class Wanted:
    """What was said of a new project. Kinds, labels and names belong together by their position;
    None and what is missing is open.
    """

    kinds: Tuple[str, ...] = ()
    labels: Tuple[str, ...] = ()
    names: Tuple[str, ...] = ()
    definitions: Tuple[str, ...] = ()
    exclusive: Optional[bool] = None
    student: str = "fast"
    lang: Optional[str] = None
    endpoint: Optional[str] = None
    model: Optional[str] = None
    api_key_env: Optional[str] = None

    @property
    def server(self) -> bool:
        """Whether anything was said of a server."""
        return (self.endpoint, self.model, self.api_key_env) != (None, None, None)


def said(values: Tuple[str, ...], i: int) -> str:
    """RETURNS (str): What was said of the i-th task; empty if nothing was."""
    return values[i] if i < len(values) else ""


def split(labels: str) -> List[str]:
    """RETURNS (List[str]): The labels of a list with commas.

    >>> split("A, B")
    ['A', 'B']
    """
    return [label.strip() for label in labels.split(",")]


def ask(wanted: Wanted) -> Wanted:
    """Ask in the terminal; Enter takes what stands in brackets.

    wanted (Wanted): What was said.
    RETURNS (Wanted): The same, and the answers to what was open.
    """
    from ..project import plan as new

    number, i, more = len(wanted.kinds), 0, True
    while more:
        wanted = _ask_about_task(wanted, i)
        i += 1
        more = i < number or (number == 0 and typer.confirm("Another task?", default=False))
    if wanted.lang is None:
        wanted = replace(wanted, lang=_until("Language of your texts", "en", new.check_lang))
    return _ask_about_server(wanted)


def _ask_about_task(wanted: Wanted, i: int) -> Wanted:
    from ..project import plan as new
    from ..project.example import example_tasks

    if i >= len(wanted.kinds):
        question = f"Kind of task ({', '.join(new.KINDS)})"
        wanted = replace(wanted, kinds=(*wanted.kinds, _until(question, "ner", new.check_kind)))
        if not said(wanted.names, i):
            answer = typer.prompt("Name of the task", default=wanted.kinds[i])
            wanted = replace(wanted, names=_put(wanted.names, i, answer))
    kind = new.check_kind(wanted.kinds[i])
    if not said(wanted.labels, i):
        example = list(example_tasks()[kind].labels)
        question = "Labels, separated by commas (those of the example texts"
        labels = typer.prompt(f"{question} if you press Enter)", default=",".join(example))
        if split(labels) != example:
            wanted = replace(wanted, labels=_put(wanted.labels, i, labels))
            wanted = _ask_for_meanings(wanted, split(labels))
    if kind == "textcat" and wanted.exclusive is None:
        question = "Does exactly one of the labels hold for a text?"
        wanted = replace(wanted, exclusive=typer.confirm(question, default=True))
    return wanted


def _ask_for_meanings(wanted: Wanted, labels: List[str]) -> Wanted:
    for label in labels:
        if not any(text.startswith(f"{label}=") for text in wanted.definitions):
            question = f"What is {label}, in a sentence? (Enter: say it later)"
            text = typer.prompt(question, default="", show_default=False)
            if text.strip():
                wanted = replace(wanted, definitions=(*wanted.definitions, f"{label}={text}"))
    return wanted


def _ask_about_server(wanted: Wanted) -> Wanted:
    from ..project import plan as new

    if not wanted.server:
        question = "Address of an OpenAI-compatible server"
        if any(wanted.labels):
            default = new.OLLAMA
        else:
            question += " (none: the answers that come with the example texts)"
            default = NONE

        def check(url: str) -> str:
            return url if url == NONE else new.make_server(url, "-", None).url

        url = _until(question, default, check)
        wanted = replace(wanted, endpoint=None if url == NONE else url)
    if wanted.endpoint is not None and wanted.model is None:
        usual = new.OLLAMA_MODEL if wanted.endpoint == new.OLLAMA else None
        wanted = replace(wanted, model=typer.prompt("Name of the model", default=usual))
    return wanted


def _put(values: Tuple[str, ...], i: int, value: str) -> Tuple[str, ...]:
    padded = (*values, *("" for _ in range(i + 1 - len(values))))
    return (*padded[:i], value, *padded[i + 1 :])


def _until(question: str, default: str, check: Callable[[str], str]) -> str:
    """Ask until the answer can be used.

    question (str): What is asked.
    default (str): The answer if Enter is pressed.
    check (Callable[[str], str]): Gives the answer back, or raises InputError.
    RETURNS (str): The answer.
    """
    while True:
        try:
            return check(typer.prompt(question, default=default).strip())
        except InputError as e:
            msg.fail(str(e))
