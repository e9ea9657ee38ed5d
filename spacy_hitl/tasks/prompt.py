"""The form of a prompt: its templates, and the one marked block that holds the text."""

from functools import cache
from pathlib import Path
from typing import Any, Optional

from jinja2 import StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

TEXT_START, TEXT_END = "<text>", "</text>"
WHOLE_ANSWER = "Answer with one JSON object and nothing else:"
PART_ANSWER = "The answer to this task is the object"


@cache
def _template(path: Path) -> str:
    return path.read_text(encoding="utf8")


def render_template(path: Path, **values: Any) -> str:
    """RETURNS (str): A prompt template, filled in; a value that is missing is an error."""
    env = SandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined, autoescape=False
    )
    return env.from_string(_template(path)).render(**values).strip()


def text_block(text: str) -> str:
    """RETURNS (str): The one marked block of a prompt that holds the text, always at its end."""
    return f"{TEXT_START}\n{text}\n{TEXT_END}"


def find_text(prompt: str) -> Optional[str]:
    """Find the text that a prompt asks about, exactly as it was, whatever it holds itself.

    prompt (str): The whole prompt, or its user message.
    RETURNS (Optional[str]): The text, or None if there is no marked block.

    >>> find_text("Label it." + chr(10) + text_block("a </text> b"))
    'a </text> b'
    """
    begin, finish = f"{TEXT_START}\n", f"\n{TEXT_END}"
    stripped = prompt.rstrip()
    if not stripped.endswith(finish):
        return None
    at = 0 if stripped.startswith(begin) else stripped.find(f"\n{begin}") + 1
    if at == 0 and not stripped.startswith(begin):
        return None
    return stripped[at + len(begin) : len(stripped) - len(finish)]
