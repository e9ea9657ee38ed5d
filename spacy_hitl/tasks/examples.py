"""Few-shot examples: the same ones in every prompt, or for each text its nearest of a pool."""

import json
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Protocol, Tuple

from ..errors import Errors, InputError
from ..io import json_digest, read_jsonl
from ..records import Annotation
from .similarity import TextIndex

Example = Dict[str, str]  # "text", "answer" and what a task adds; values are JSON, each one line


class ExampleTask(Protocol):
    """What a task must be able to do to show examples."""

    def read_compact(self, value: Any, *, where: str, text: str) -> Annotation:
        """Read the short form of the import format."""
        ...

    def example_answer(self, annotation: Annotation, text: str) -> Dict[str, Any]:
        """The JSON answer that stands for an annotation."""
        ...

    def example_values(
        self, record: Dict[str, Any], annotation: Annotation, *, where: str, text: str
    ) -> Dict[str, str]:
        """What the prompt shows besides text and answer."""
        ...


def read_examples(path: Path, task: ExampleTask) -> Iterator[Tuple[str, Example]]:
    """Read examples, as JSON strings, so that no text can leave its line.

    path (Path): JSONL: {"text", "annotation"}, the annotation in the compact form.
    task (ExampleTask): Whose examples they are.
    YIELDS (Tuple[str, Example]): The text as it is, and the example as a prompt shows it.
    RAISES (InputError): If the file is missing or a line can't be used.
    """
    for where, record in read_jsonl(path, what="examples"):
        text = record.get("text")
        if not isinstance(text, str) or "annotation" not in record:
            problem = "an example needs 'text' and 'annotation'"
            raise InputError(Errors.H004.format(where=where, problem=problem))
        annotation = task.read_compact(record["annotation"], where=where, text=text)
        answer = json.dumps(task.example_answer(annotation, text), ensure_ascii=False)
        more = task.example_values(record, annotation, where=where, text=text)
        shown = json.dumps(text, ensure_ascii=False)
        yield text, {"text": shown, "answer": answer, **more}


def show_example(example: Example) -> str:
    """RETURNS (str): The lines of a prompt, as the templates write them: what a task adds stands
    before text and answer.
    """
    last = {"text": example["text"], "answer": example["answer"]}
    first = {name: value for name, value in example.items() if name not in last}
    return "\n".join(f"Example {name}: {value}" for name, value in {**first, **last}.items())


def check_nearest(nearest: Any, path: Optional[Path], *, kind: str) -> Optional[int]:
    """RETURNS (Optional[int]): How many examples to choose per text, or None for all of the file.
    RAISES (InputError): If it is no number above 0, or there is no file to choose from.
    """
    if nearest is None:
        return None
    if type(nearest) is not int or nearest < 1 or path is None:
        what = f"a number above 0 in examples_nearest, not {nearest!r}"
        what = "a file in examples, to choose examples_nearest from" if path is None else what
        remedy = 'For example: examples = "examples/pool.jsonl" and examples_nearest = 4.'
        raise InputError(Errors.H101.format(kind=kind, what=what, remedy=remedy))
    return nearest


class ExamplePool:
    """Examples of which each prompt shows those nearest to its text.

    path (Path): As `read_examples` reads it; read at once.
    task (ExampleTask): Whose examples they are.
    count (int): How many a prompt shows.
    """

    def __init__(self, path: Path, task: ExampleTask, *, count: int) -> None:
        texts: List[str] = []
        self._shown: List[str] = []
        for text, example in read_examples(path, task):
            texts.append(text)
            self._shown.append(show_example(example))
        self._index = TextIndex(texts)
        self._count = count
        self.digest = json_digest({"count": count, "examples": self._shown})

    def show(self, text: str) -> str:
        """Choose examples for a text.

        text (str): The text that is asked about.
        RETURNS (str): The lines of its prompt: the most similar examples, the most similar one
            last. Never the text itself or a near-duplicate: its answer would be given away.
        """
        nearest = self._index.nearest(text, self._count)
        return "\n\n".join(self._shown[i] for i in reversed(nearest))
