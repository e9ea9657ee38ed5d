"""Parts of the gold texts: never small, never many, and what is left out is told."""

from typing import Any, Dict, List, Optional, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_hitl.records import Annotation, CategoryAnnotation, RowMeta, TaskHeader, TaskRow
from spacy_hitl.scoring.slices import FEW, MAX_FIELDS, MAX_PARTS, PARTS, Slice, find_slices

HEADER = TaskHeader("t", "textcat", ("A", "B"), "d")
EXCLUSIVE = TaskHeader("t", "textcat", ("A", "B"), "d", exclusive=True)


def row(
    words: int = 1,
    *labels: str,
    source: str = "a.jsonl",
    metas: Sequence[Optional[Dict[str, Any]]] = (None,),
) -> TaskRow:
    decision = Annotation(cats=tuple(CategoryAnnotation(label) for label in labels))
    rows = tuple(RowMeta(source, meta) for meta in metas)
    return TaskRow(" ".join(["x"] * words), "digest", "gold", decision=decision, rows=rows)


def parts(slices: Sequence[Slice], by: str) -> Dict[str, int]:
    return {s.value: len(s.texts) for s in slices if s.by == by}


def of_meta(*values: Any) -> Any:
    """Slices by 'x' of texts that hold these values, one each."""
    slices, notes = find_slices(HEADER, [row(metas=[{"x": value}]) for value in values])
    return parts(slices, "x"), notes


def test_lengths_are_cut_into_thirds() -> None:
    slices, notes = find_slices(HEADER, [row(words) for words in range(1, 31)])
    assert [(s.by, s.value, s.texts) for s in slices] == [
        ("length", "1 to 10 words", tuple(range(10))),
        ("length", "11 to 20 words", tuple(range(10, 20))),
        ("length", "21 to 30 words", tuple(range(20, 30))),
    ]
    assert notes == ()


@pytest.mark.parametrize("texts, wanted", [(19, 0), (20, 2), (29, 2), (30, 3)])
def test_few_texts_are_cut_less(texts: int, wanted: int) -> None:
    slices, _ = find_slices(HEADER, [row(n + 1) for n in range(texts)])
    assert len(slices) == wanted


def test_texts_of_one_length_stay_together() -> None:
    slices, _ = find_slices(HEADER, [row(5)] * 40 + [row(9)] * 12)
    assert parts(slices, "length") == {"5 words": 40, "9 words": 12}
    assert find_slices(HEADER, [row(5)] * 40) == ((), ())


def test_a_small_part_is_put_to_the_next() -> None:
    # A third would be the 6 texts of two words.
    slices, _ = find_slices(HEADER, [row(1)] * 12 + [row(2)] * 6 + [row(3)] * 12)
    assert parts(slices, "length") == {"1 words": 12, "2 to 3 words": 18}
    slices, _ = find_slices(HEADER, [row(1)] * 2 + [row(2)] * 17 + [row(3)] * 4)
    assert parts(slices, "length") == {}


def test_a_source_with_few_texts_is_named_and_left_out() -> None:
    rows = [row(source="a")] * 20 + [row(source="b")] * 12 + [row(source="c")] * 3
    slices, notes = find_slices(HEADER, rows)
    assert parts(slices, "source") == {"a": 20, "b": 12}
    assert notes == ("Slices by source: left out for having fewer than 10 texts: c (3).",)


def test_rare_names_together_are_a_part() -> None:
    rows = [row(source="a")] * 20 + [row(source=f"s{i}") for i in range(11)]
    slices, notes = find_slices(HEADER, rows)
    assert parts(slices, "source") == {"a": 20, "11 others": 11} and notes == ()


def test_a_text_of_several_rows_is_in_every_part_of_them() -> None:
    both = row(metas=[{"x": "p"}, {"x": "q"}])
    slices, _ = find_slices(HEADER, [both] * 5 + [row(metas=[{"x": "p"}])] * 9 + [both] * 6)
    assert parts(slices, "x") == {"p": 20, "q": 11}


def test_wanted_labels_but_not_of_exclusive_categories() -> None:
    rows = [row(1, "A")] * 12 + [row(1, "A", "B")] * 10 + [row(1)] * 15
    slices, _ = find_slices(HEADER, rows)
    assert parts(slices, "label") == {"A": 22, "B": 10}
    assert parts(find_slices(EXCLUSIVE, rows)[0], "label") == {}


def test_values_of_the_meta() -> None:
    # Few numbers are names, many are cut into thirds.
    assert of_meta(*[1, 5] * 10)[0] == {"1": 10, "5": 10}
    assert of_meta(*range(30))[0] == {"0 to 9": 10, "10 to 19": 10, "20 to 29": 10}
    assert of_meta(*[True, False] * 10)[0] == {"True": 10, "False": 10}
    # Dates by year; of one year by month.
    days = ["2024-05-01", "2025-05-01T10:00:00"]
    assert of_meta(*days * 10)[0] == {"2024": 10, "2025": 10}
    assert of_meta(*["2024-05-01", "2024-06-09"] * 10)[0] == {"2024-05": 10, "2024-06": 10}
    # What differs in nearly every text is no group.
    assert of_meta(*(f"user{i}" for i in range(60))) == ({}, ())
    # A text without the field is in no part of it.
    slices, _ = find_slices(HEADER, [row(metas=[{"x": "p"}]), row(metas=[{"x": "q"}]), row()] * 10)
    assert parts(slices, "x") == {"p": 10, "q": 10}
    assert of_meta(*[float("nan"), *range(20)])[0] == {"0 to 9": 10, "10 to 19": 10}


def test_there_are_never_many() -> None:
    values = [name for i in range(30) for name in [f"n{i}"] * (10 + i)]
    found, notes = of_meta(*values)
    assert len(found) == MAX_PARTS and notes == ()
    assert found["23 others"] == sum(10 + i for i in range(23))
    meta = {f"field{i}": 1 for i in range(9)}
    other = {f"field{i}": 2 for i in range(9)}
    slices, notes = find_slices(HEADER, [row(metas=[m]) for m in (meta, other)] * 10)
    assert len({s.by for s in slices}) == MAX_FIELDS
    assert notes == ("Slices: the first 6 fields of the meta, without field6, field7, field8.",)


values = st.one_of(
    st.sampled_from(["p", "q", "2024-01-01", "2025-01-01"]), st.integers(0, 40), st.booleans()
)
metas = st.none() | st.dictionaries(st.sampled_from("xyz"), values, max_size=3)
rows_of_texts: st.SearchStrategy[List[TaskRow]] = st.lists(
    st.builds(
        lambda words, labels, source, some: row(words, *labels, source=source, metas=some),
        st.sampled_from([1, 1, 2, 3, 3, 20]),
        st.sets(st.sampled_from("ABC")),
        st.sampled_from("ab"),
        st.lists(metas, min_size=1, max_size=2),
    ),
    max_size=60,
)


@given(rows_of_texts)
def test_no_part_is_small_or_listed_twice(rows: List[TaskRow]) -> None:
    slices, _ = find_slices(HEADER, rows)
    names = [(s.by, s.value) for s in slices]
    assert len(set(names)) == len(names)
    for s in slices:
        assert len(s.texts) >= FEW and list(s.texts) == sorted(set(s.texts))
    for by in {s.by for s in slices}:
        assert 2 <= len(parts(slices, by)) <= max(MAX_PARTS, PARTS)
    lengths = [i for s in slices if s.by == "length" for i in s.texts]
    assert sorted(lengths) in ([], list(range(len(rows))))
