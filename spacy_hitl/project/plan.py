"""What a new project is: its tasks, what their labels mean, and who answers."""

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Dict, Optional, Sequence, Tuple
from urllib.parse import urlsplit

import spacy

from ..errors import Errors, InputError
from .example import example_tasks

KINDS = {"ner": "NER", "spancat": "SpanCat", "textcat": "TextCat"}  # in names of tasks
OLLAMA = "http://127.0.0.1:11434/v1"
OLLAMA_MODEL = "qwen3:8b"
OPENAI_HOST = "api.openai.com"
OPENAI_KEY, OTHER_KEY = "OPENAI_API_KEY", "HITL_API_KEY"
LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")
PROTOTYPE = "prototype"  # configs/prototype.cfg: no task can have its name


@dataclass(frozen=True)
class NewTask:
    """One task.

    exclusive: textcat: whether exactly one label holds. definitions: what labels mean, in a
    sentence; some may be missing.
    """

    name: str
    kind: str
    labels: Tuple[str, ...]
    exclusive: bool = False
    definitions: Dict[str, str] = field(default_factory=dict)

    @property
    def is_example(self) -> bool:
        """Whether the example has answers with these labels."""
        return self.labels == tuple(example_tasks()[self.kind].labels)

    @property
    def stated(self) -> Dict[str, str]:
        """The definitions that can stand in a config."""
        return {label: text for label, text in self.definitions.items() if _fits(label, text)}

    @property
    def explained(self) -> Dict[str, str]:
        """The others: they stand in the guidelines."""
        return {label: t for label, t in self.definitions.items() if label not in self.stated}


def _fits(label: str, definition: str) -> bool:
    """RETURNS (bool): Whether both come back from a config as they are: a label is a key there, and
    a dollar sign refers to another value."""
    return re.fullmatch(r"\w[\w-]*( [\w-]+)*", label) is not None and "$" not in definition


@dataclass(frozen=True)
class Server:
    """An OpenAI-compatible server. key_variable: environment variable with the key."""

    url: str
    model: str
    key_variable: str

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine."""
        return urlsplit(self.url).hostname in LOCAL_HOSTS

    @property
    def is_ollama(self) -> bool:
        """Whether this is where Ollama listens."""
        return self.url == OLLAMA


@dataclass(frozen=True)
class NewProject:
    """A project folder.

    server: None replays the answers that come with the example texts. student: recipe of the
    training configs.
    """

    name: str
    tasks: Tuple[NewTask, ...]
    lang: str = "en"
    server: Optional[Server] = None
    student: str = "fast"

    @property
    def pipeline(self) -> str:
        """Name of the promoted pipeline."""
        return self.name.replace("-", "_")


def refuse(option: str, value: Optional[object], expected: str) -> InputError:
    """RETURNS (InputError): The error for an option that is missing (None) or can't be used."""
    given = "is not given" if value is None else f"is {value!r}"
    return InputError(Errors.H370.format(option=option, given=given, expected=expected))


def check_kind(kind: str) -> str:
    """RETURNS (str): The kind, if a new project can have tasks of it.
    RAISES (InputError): If not.
    """
    if kind not in KINDS:
        more = "in a new project; the docs show how to add linking and relations to its config"
        raise refuse("--task", kind, f"one of {', '.join(KINDS)} {more}")
    return kind


def check_lang(lang: str) -> str:
    """RETURNS (str): The code, if spaCy can make a pipeline of this language here.
    RAISES (InputError): If not.
    """
    try:
        spacy.blank(lang)
    except (ImportError, ValueError, OSError) as e:
        detail = str(e).strip().splitlines()[0]
        raise refuse("--lang", lang, f"a language that spaCy can read here ({detail})") from e
    return lang


def check_name(path: Path) -> None:
    """RAISES (InputError): If a folder of this name can't become a project."""
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,99}", path.name):
        raise InputError(Errors.H080.format(name=path))


def make_server(url: Optional[str], model: Optional[str], key_variable: Optional[str]) -> Server:
    """Say which server is asked.

    url (Optional[str]): Its address, up to and including /v1; where Ollama listens if not given.
    model (Optional[str]): Name of the model, as the server knows it.
    key_variable (Optional[str]): Environment variable with the key. A key that is there for OpenAI
        is never meant for another server.
    RETURNS (Server): The server. Nothing was sent.
    RAISES (InputError): If the address or the name can't be used, or the model is missing.
    """
    if url is not None and model is None:
        raise refuse("--model", None, "the name of the model, as the server knows it")
    server = Server(url or OLLAMA, OLLAMA_MODEL if model is None else model, OTHER_KEY)
    try:
        parts = urlsplit(server.url)
        bare = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1) > 0
    except ValueError:
        bare, parts = False, urlsplit("")
    if not bare or parts.query or parts.fragment or not re.fullmatch(r"[^\s$@]+", server.url):
        # A password or a key in it is not shown again.
        shown = "(not shown)" if set("@?") & set(server.url) else server.url
        raise refuse("--endpoint", shown, f"an address like {OLLAMA}, without user or key in it")
    if not server.model.strip() or "$" in server.model or not server.model.isprintable():
        raise refuse("--model", server.model, "the name of the model, as the server knows it")
    if key_variable is None:
        key_variable = OPENAI_KEY if parts.hostname == OPENAI_HOST else OTHER_KEY
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,99}", key_variable):
        raise InputError(Errors.H124)
    return replace(server, key_variable=key_variable)


def define(tasks: Sequence[NewTask], definitions: Sequence[str]) -> Tuple[NewTask, ...]:
    """Give labels their meaning.

    tasks (Sequence[NewTask]): The tasks.
    definitions (Sequence[str]): "LABEL=what it means". It counts for every task with this label.
    RETURNS (Tuple[NewTask, ...]): The tasks; labels of the example mean what they mean there.
    RAISES (InputError): If no task has the label, or nothing is said of it.
    """
    known = sorted({label for task in tasks for label in task.labels}, key=len, reverse=True)
    said: Dict[str, str] = {}
    for definition in definitions:
        label = next((name for name in known if definition.startswith(f"{name}=")), None)
        text = "" if label is None else " ".join(definition[len(label) + 1 :].split())
        if label is None or not text:
            names = ", ".join(sorted(known))
            raise refuse("--define", definition, f"LABEL=what it means, of one label of: {names}")
        said[label] = text
    return tuple(replace(task, definitions=_meanings(task, said)) for task in tasks)


def _meanings(task: NewTask, said: Dict[str, str]) -> Dict[str, str]:
    known = {**(example_tasks()[task.kind].labels if task.is_example else {}), **said}
    return {label: known[label] for label in task.labels if label in known}


def check_tasks(tasks: Sequence[NewTask]) -> None:
    """RAISES (InputError): If two tasks would be in each other's way, or in that of a file."""
    seen: Dict[str, str] = {PROTOTYPE: PROTOTYPE}
    used: Dict[Tuple[str, str], str] = {}
    for task in tasks:
        if task.name.lower() in seen:
            expected = f"a name of its own for every task, and none '{PROTOTYPE}'"
            raise refuse("--name", task.name, expected)
        seen[task.name.lower()] = task.name
        for label in task.labels:
            # Spans of each task have their own key; entities and categories share one place.
            if task.kind != "spancat" and (task.kind, label) in used:
                raise refuse("--labels", label, f"labels that no other {task.kind} task has")
            used[task.kind, label] = task.name
            for value in (label, task.definitions.get(label, "")):
                if value.encode("utf8", "ignore").decode("utf8") != value or "\x00" in value:
                    raise refuse("--labels and --define", value, "Unicode characters, and no NUL")
