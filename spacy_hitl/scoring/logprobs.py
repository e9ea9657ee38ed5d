"""How probable a model found a value of its JSON answer: token log-probabilities, by offset.

Token probabilities tell right from wrong labels best of what a model gives away (Refuel, Labeling
with confidence, 2023). Where decoding is constrained to a schema, forced tokens have probability 1:
only the tokens of the value itself are looked at, never keys, quotes or brackets alone.
"""

import json
import math
import re
from dataclasses import dataclass
from typing import Any, Dict, Generator, Iterator, List, Optional, Sequence, Tuple, Union

from ..records import NIL, Annotation, Response
from ..tasks.grounding import normal
from .items import Item, item_of

Path = Tuple[Union[str, int], ...]

_DECODER = json.JSONDecoder(strict=False)
_SPACE = re.compile(r"[ \t\n\r]*")
_CLOSING = {"{": "}", "[": "]"}


@dataclass(frozen=True)
class JsonValue:
    """A string, number, true, false or null of a JSON text, and where it stands.

    path: keys and list positions that lead to it. start, end: offsets in the JSON text, in
    characters, without the quotes of a string.
    """

    path: Path
    value: Any
    start: int
    end: int


def json_values(text: str) -> List[JsonValue]:
    """Find all values of the first JSON object of a text.

    text (str): An answer; what stands before the object (a code fence) is passed over.
    RETURNS (List[JsonValue]): The values in the order of the text; none if there is no object.

    >>> [(v.path, v.value, v.start, v.end) for v in json_values('{"a": ["b", null]}')]
    [(('a', 0), 'b', 8, 9), (('a', 1), None, 12, 16)]
    """
    start = text.find("{")
    if start == -1:
        return []
    try:
        _DECODER.raw_decode(text, start)  # from here on it is known to be JSON
        return list(_walk(text, start, ()))
    except (ValueError, RecursionError):
        return []


def _walk(text: str, at: int, path: Path) -> Generator[JsonValue, None, int]:
    """YIELDS (JsonValue): The values from an offset on. RETURNS (int): Where they end."""
    opening = text[at]
    if opening not in _CLOSING:
        value, end = _DECODER.raw_decode(text, at)
        quote = int(opening == '"')
        yield JsonValue(path, value, at + quote, end - quote)
        return end
    index, at = 0, _skip(text, at + 1)
    while text[at] != _CLOSING[opening]:
        key: Union[str, int] = index
        if opening == "{":
            key, at = _DECODER.raw_decode(text, at)
            at = _skip(text, _skip(text, at) + 1)  # the colon
        at = _skip(text, (yield from _walk(text, at, (*path, key))))
        if text[at] == ",":
            at = _skip(text, at + 1)
        index += 1
    return at + 1


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return at if found is None else found.end()


def span_probability(tokens: Sequence[Tuple[str, float]], start: int, end: int) -> Optional[float]:
    """Compute the probability of a stretch of an answer.

    tokens (Sequence[Tuple[str, float]]): The answer's tokens with their natural log-probability.
    start (int): Where the stretch begins, in characters of the answer.
    end (int): Where it ends, exclusive.
    RETURNS (Optional[float]): Geometric mean of the probabilities of the tokens that share a
        character with it, from 0 to 1; None if there is none, or a log-probability is no number.

    >>> span_probability([('{"a": "', 0.0), ("YES", -0.5), ('"}', 0.0)], 7, 10) == math.exp(-0.5)
    True
    """
    found = [value for (a, b), value in _placed(tokens) if a < end and b > start]
    if not found or any(math.isnan(value) for value in found):
        return None
    return math.exp(min(0.0, sum(found) / len(found)))


def _placed(tokens: Sequence[Tuple[str, float]]) -> Iterator[Tuple[Tuple[int, int], float]]:
    at = 0
    for token, value in tokens:
        yield (at, at + len(token)), value
        at += len(token)


def value_probabilities(response: Response) -> List[Tuple[JsonValue, float]]:
    """Find how probable each value of an answer was.

    response (Response): An answer, with `logprobs` if the server gave them.
    RETURNS (List[Tuple[JsonValue, float]]): Values with their probability. None if the answer has
        no log-probabilities, or their tokens do not spell the answer.
    """
    if response.text is None or response.logprobs is None:
        return []
    # A token after the answer (its end mark) does no harm; anything before it would shift all.
    if not "".join(token for token, _ in response.logprobs).startswith(response.text):
        return []
    pairs = [
        (value, span_probability(response.logprobs, value.start, value.end))
        for value in json_values(response.text)
    ]
    return [(value, p) for value, p in pairs if p is not None]


def label_probabilities(
    response: Response, annotation: Annotation, *, text: str, task: str = ""
) -> Dict[Item, float]:
    """Find how probable the label (or catalog id) of each annotation was to the model.

    response (Response): The answer, with log-probabilities if the server gave them.
    annotation (Annotation): What was understood of it.
    text (str): The text that was asked about: spans are found in the answer by their words.
    task (str): Name of the task: of an answer to several tasks only its part counts.
    RETURNS (Dict[Item, float]): Probability by item; without those that could not be found.
    """
    labels: Dict[Item, float] = {}
    quoted: Dict[Tuple[str, str], List[float]] = {}
    related: Dict[Tuple[Any, Any, str], float] = {}
    values = _part_of(value_probabilities(response), task)
    given = {value.path: value.value for value, _ in values}
    for value, probability in values:
        around, field = value.path[:-1], value.path[-1]
        if (*around, "text") in given:
            if field in ("label", "id"):
                words = normal(str(given[*around, "text"]))
                quoted.setdefault((words, _name(value)), []).append(probability)
        elif (*around, "head") in given:
            if field == "label":
                ends = given[*around, "head"], given.get((*around, "tail"))
                related.setdefault((*ends, _name(value)), probability)
        else:
            labels.setdefault(Item(str(value.value)), probability)
    found: Dict[Item, float] = {}
    # Of equal quotes the first takes the first place, as in grounding.
    for span in sorted(annotation.spans, key=lambda s: (s.start, s.end)):
        item = item_of(span)
        key = normal(text[span.start : span.end]), item.name
        if quoted.get(key):
            found[item] = quoted[key].pop(0)
    for one in annotation.relations:  # an answer names mentions by their first character
        ends = one.head_start, one.tail_start
        if (*ends, one.label) in related:
            found[item_of(one)] = related[*ends, one.label]
    cats = map(item_of, annotation.cats)
    return {**found, **{item: labels[item] for item in cats if item in labels}}


def _part_of(values: List[Tuple[JsonValue, float]], task: str) -> List[Tuple[JsonValue, float]]:
    """The values of one task in a joint answer, which has an object per task; else all."""
    inside = [(value.path, value, p) for value, p in values if len(value.path) > 1]
    mine = [(v, p) for path, v, p in inside if path[0] == task and isinstance(path[1], str)]
    return mine or values


def _name(value: JsonValue) -> str:
    return NIL if value.value is None else str(value.value)
