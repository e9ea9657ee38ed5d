"""Values of a JSON text by offset, and the tokens that make them."""

import json
import math
from itertools import pairwise
from typing import Any, List, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_hitl.records import Response
from spacy_hitl.scoring.logprobs import json_values, span_probability, value_probabilities

scalars = st.none() | st.booleans() | st.integers(-99, 99) | st.text(max_size=5)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)
objects = st.dictionaries(st.text(max_size=3), values, max_size=4)


def leaves(value: Any, path: Tuple[Any, ...] = ()) -> List[Any]:
    if isinstance(value, dict):
        return [leaf for k, v in value.items() for leaf in leaves(v, (*path, k))]
    if isinstance(value, list):
        return [leaf for i, v in enumerate(value) for leaf in leaves(v, (*path, i))]
    return [(path, value)]


@given(objects, st.sampled_from([None, 2]), st.booleans(), st.sampled_from(["", "```json\n", " "]))
def test_every_value_is_found_where_it_stands(
    value: Any, indent: Any, ascii_only: bool, before: str
) -> None:
    text = before + json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    found = json_values(text)
    assert [(v.path, v.value) for v in found] == leaves(value)
    for v in found:
        stretch = text[v.start : v.end]
        assert json.loads(f'"{stretch}"' if isinstance(v.value, str) else stretch) == v.value


@pytest.mark.parametrize(
    "text", ["", "no", "{", '{"a": ', '{"a" 1}', "[1]", '{"a": [}', "{" * 5000]
)
def test_what_is_no_object_has_no_values(text: str) -> None:
    assert json_values(text) == []


@given(objects, st.data())
def test_tokens_may_be_cut_anywhere(value: Any, data: Any) -> None:
    text = json.dumps(value)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)))) | {0, len(text)})
    tokens = [(text[a:b], -0.01 * a) for a, b in pairwise(cuts)]
    response = Response("m", text=text, logprobs=tuple(tokens))
    for v, probability in value_probabilities(response):
        touched = [-0.01 * a for a, b in pairwise(cuts) if a < v.end and b > v.start]
        assert probability == pytest.approx(math.exp(sum(touched) / len(touched)))


def test_tokens_that_spell_something_else_are_not_used() -> None:
    text = '{"a": "b"}'
    for tokens in ([("{", 0.0)], [(f" {text}", 0.0)], []):
        assert value_probabilities(Response("m", text=text, logprobs=tuple(tokens))) == []
    ended = Response("m", text=text, logprobs=((text, -1.0), ("<|end|>", -5.0)))
    ((_, probability),) = value_probabilities(ended)
    assert probability == pytest.approx(math.exp(-1))
    assert value_probabilities(Response("m", text=text)) == []
    assert value_probabilities(Response("m", error="no")) == []


@pytest.mark.parametrize(
    "logprob, wanted", [(-math.inf, 0.0), (math.nan, None), (1e-9, 1.0), (0.0, 1.0)]
)
def test_odd_log_probabilities(logprob: float, wanted: Any) -> None:
    assert span_probability([("ab", logprob)], 0, 1) == wanted
    assert span_probability([("ab", logprob)], 2, 3) is None
