"""How probable a model found a value of its JSON answer: token log-probabilities, by offset.

Token probabilities tell right from wrong labels best of what a model gives away (Refuel, Labeling
with confidence, 2023). Where decoding is constrained to a schema, forced tokens have probability 1:
only the tokens of the value itself are looked at, never keys, quotes or brackets alone.
"""

import json
import math
import re
from dataclasses import dataclass
from typing import Any, Generator, Iterator, List, Optional, Sequence, Tuple, Union

from ..records import Response

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
