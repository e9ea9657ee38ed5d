"""Mask what must not leave, and turn answers back. Pure: text in, text out.

Every distinct value becomes a placeholder such as [EMAIL_1], one that stands nowhere in what is
sent. So a placeholder in an answer means exactly one value, and unmasking is the exact inverse.
"""

import json
import re
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Dict, Iterator, List, Mapping, Optional, Sequence, Set, Tuple

from ..records import Message, Request, Response
from ..tasks.base import TEXT_END, TEXT_START, find_text
from .mask_rules import Rule

PART = "PART"  # of a masked value, quoted next to the text
_PLACEHOLDER = re.compile(r"\[[A-Z][A-Z0-9_]{0,60}_\d{1,9}\]")
_LITERAL = re.compile(r'"(?:[^"\\\n]|\\.)*+"?')  # to the end of the line if nothing ends it

Replacements = Mapping[str, str]
Found = Tuple[Tuple[int, int, str], ...]  # start, end, name of the rule; sorted, none overlap


@dataclass(frozen=True)
class Masked:
    """A text without what must not leave, and the value behind each placeholder."""

    text: str
    replacements: Dict[str, str] = field(default_factory=dict)


def mask(text: str, rules: Sequence[Rule]) -> Masked:
    """Replace values by placeholders.

    text (str): Any text.
    rules (Sequence[Rule]): What to look for. Where two find overlapping values, all that either
        has found becomes one placeholder.
    RETURNS (Masked): The masked text; equal values have equal placeholders.

    >>> from spacy_hitl.llm.mask_rules import make_rules
    >>> mask("a@b.org or c@d.org? a@b.org!", make_rules(["email"], {})).text
    '[EMAIL_1] or [EMAIL_2]? [EMAIL_1]!'
    """
    names = _Names(_PLACEHOLDER.findall(text))
    return Masked(_replace(text, find(text, tuple(rules)), names), names.replacements)


def unmask(text: str, replacements: Replacements) -> str:
    """RETURNS (str): A text with the values in place of their placeholders."""
    return _PLACEHOLDER.sub(lambda m: replacements.get(m[0], m[0]), text)


def unmask_answer(answer: str, replacements: Replacements) -> str:
    """Turn the placeholders in the strings of a JSON answer back.

    answer (str): What a model sent. Whatever is wrong with it stays wrong in the same way.
    replacements (Replacements): The value behind each placeholder.
    RETURNS (str): The answer with the values, escaped as JSON wants it.
    """
    # A backslash and what follows it belong together: that is no placeholder.
    pieces = re.compile(rf"\\.|{_PLACEHOLDER.pattern}", re.DOTALL)
    escaped = {name: json.dumps(v, ensure_ascii=False)[1:-1] for name, v in replacements.items()}
    return pieces.sub(lambda m: escaped.get(m[0], m[0]), answer)


def find(text: str, rules: Tuple[Rule, ...]) -> Found:
    """RETURNS (Found): Where the rules find something; what overlaps is one, under the name of
    the longest part.
    """
    spans = [(s, e, -i) for i, rule in enumerate(rules) for s, e in rule.find(text) if s < e]
    merged: List[List[int]] = []  # start, end, length and number of the longest part
    for start, end, number in sorted(spans):
        if merged and start < merged[-1][1]:
            last = merged[-1]
            last[1] = max(last[1], end)
            last[2:] = max(last[2:], [end - start, number])
        else:
            merged.append([start, end, end - start, number])
    return tuple((start, end, rules[-number].name) for start, end, _, number in merged)


class _Names:
    """Placeholders given so far. `taken` can't be given, `open_` values are not masked."""

    def __init__(self, taken: Sequence[str], open_: Sequence[str] = ()) -> None:
        self.taken: Set[str] = set(taken)
        self.open = frozenset(open_)
        self.replacements: Dict[str, str] = {}
        self._by_value: Dict[str, str] = {}
        self._count: Dict[str, int] = {}

    def of(self, value: str, name: str) -> str:
        """RETURNS (str): The placeholder of a value; the value itself if it is open."""
        if value in self.open:
            return value
        if value not in self._by_value:
            number = self._count.get(name, 0) + 1
            while f"[{name}_{number}]" in self.taken:
                number += 1
            self._count[name] = number
            placeholder = self._by_value[value] = f"[{name}_{number}]"
            self.replacements[placeholder] = value
        return self._by_value[value]


def _replace(text: str, found: Found, names: _Names) -> str:
    parts, at = [], 0
    for start, end, name in found:
        parts += [text[at:start], names.of(text[start:end], name)]
        at = end
    return "".join([*parts, text[at:]])


# Requests and responses


def mask_request(request: Request, rules: Tuple[Rule, ...]) -> Tuple[Request, Dict[str, str]]:
    """Mask all messages of a request.

    request (Request): What a task asks. Its digest stays that of the text as it is.
    rules (Tuple[Rule, ...]): What to look for. Labels and ids that the schema names stay: they
        are sent anyway.
    RETURNS (Tuple[Request, Dict[str, str]]): The request to send (the same one if nothing was
        found), and the value behind each placeholder.
    """
    texts = [find_text(m.content) for m in request.messages]
    named = list(_strings(request.schema))
    taken = [p for s in (*named, *(m.content for m in request.messages)) for p in _given(s)]
    names = _Names(taken, named)
    # The texts first: what stands next to them may quote a part of a value.
    masked = [t if t is None else _replace(t, find(t, rules), names) for t in texts]
    messages = []
    for message, text, hidden in zip(request.messages, texts, masked, strict=True):
        around, tail = message.content, ""
        if text is not None and hidden is not None:
            ending = f"\n{TEXT_END}"
            cut = len(message.content.rstrip()) - len(ending) - len(text)
            begin = cut - len(TEXT_START) - 1
            around, tail = message.content[:begin], message.content[begin:cut] + hidden
            tail += message.content[cut + len(text) :]
        around = _mask_around(around, rules, names, text or "", hidden or "")
        messages.append(Message(message.role, around + tail))
    if not names.replacements:
        return request, {}
    return replace(request, messages=tuple(messages)), names.replacements


def unmask_response(response: Response, replacements: Replacements) -> Response:
    """RETURNS (Response): The response with the values in its text. Log-probabilities of a
    placeholder's tokens are added up, so that the tokens still spell the text.
    """
    if not replacements or response.text is None:
        return response
    logprobs = response.logprobs
    if logprobs is not None:
        logprobs = tuple(_unmask_tokens(logprobs, replacements))
    return replace(response, text=unmask_answer(response.text, replacements), logprobs=logprobs)


def _unmask_tokens(
    tokens: Sequence[Tuple[str, float]], replacements: Replacements
) -> Iterator[Tuple[str, float]]:
    spelled = "".join(token for token, _ in tokens)
    inside = [m.span() for m in _PLACEHOLDER.finditer(spelled) if m[0] in replacements]
    held, logprob, at = "", 0.0, 0
    for token, value in tokens:
        at += len(token)
        held, logprob = held + token, logprob + value
        if not any(start < at < end for start, end in inside):
            yield unmask_answer(held, replacements), logprob
            held, logprob = "", 0.0


def _mask_around(
    content: str, rules: Tuple[Rule, ...], names: _Names, text: str, hidden: str
) -> str:
    """Mask what stands next to a text; strings in quotes are understood as JSON.

    A string that quotes the text, but can't be found in the masked one, is a part of a value
    (say, an entity inside an e-mail address): it is masked as a whole.
    """
    parts = []
    for piece, value, found in _pieces(content, rules):
        if value is None:
            parts.append(_replace(piece, found, names))
            continue
        masked = _replace(value, found, names)
        if value and value in text and masked not in hidden:
            masked = names.of(value, PART)
        parts.append(piece if masked == value else json.dumps(masked, ensure_ascii=False))
    return "".join(parts)


@lru_cache(maxsize=16)  # the instructions are the same for all texts
def _pieces(content: str, rules: Tuple[Rule, ...]) -> Tuple[Tuple[str, Optional[str], Found], ...]:
    """Pieces of a message, in order, with what was found in them; a piece in quotes also with
    the string that it stands for.
    """
    pieces: List[Tuple[str, Optional[str], Found]] = []
    at = 0
    for match in _LITERAL.finditer(content):
        if content[match.end() : match.end() + 2].lstrip().startswith(":"):
            continue  # the name of a field
        try:
            value = json.loads(match[0])
        except ValueError:
            continue
        pieces.append((content[at : match.start()], None, ()))
        pieces.append((match[0], value, find(value, rules)))
        at = match.end()
    pieces.append((content[at:], None, ()))
    return tuple((p, v, find(p, rules) if v is None else found) for p, v, found in pieces)


def _given(text: str) -> List[str]:
    return _PLACEHOLDER.findall(text)


def _strings(value: object) -> Iterator[str]:
    """YIELDS (str): All strings in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _strings(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _strings(inner)
