"""Lanes: drawn from the text alone, shared by near-duplicates, never moved."""

import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any, List, Optional

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from spacy_hitl.dataset.lanes import draw_lane, normal_digest, normalise
from spacy_hitl.dataset.store import Dataset
from spacy_hitl.io import text_digest
from spacy_hitl.records import LANES, Row
from spacy_hitl.settings import LaneSettings

HALF = LaneSettings(gold=0.3, dev=0.3)


def draw(text: str, *, salt: str = "s", gold: float = 0.1, dev: float = 0.2) -> str:
    return draw_lane(normal_digest(text), gold=gold, dev=dev, salt=salt)


def test_draw_is_pinned() -> None:
    """The lane of a text is part of the file format: it must not change between releases."""
    drawn = [draw(f"text {i}", gold=0.3, dev=0.3) for i in range(8)]
    assert drawn == ["gold", "train", "dev", "gold", "dev", "dev", "train", "train"]


def test_shares_are_right() -> None:
    counts = Counter(draw(f"post number {i}") for i in range(5000))
    # Three standard deviations of a binomial with n = 5000: 64 for gold, 85 for dev.
    assert abs(counts["gold"] - 500) < 64
    assert abs(counts["dev"] - 1000) < 85
    assert sum(counts.values()) == 5000 and set(counts) == set(LANES)


def test_the_ends_of_the_shares() -> None:
    texts = [f"text {i}" for i in range(200)]
    assert {draw(t, gold=0.0, dev=0.0) for t in texts} == {"train"}
    assert {draw(t, gold=1.0, dev=0.0) for t in texts} == {"gold"}
    assert {draw(t, gold=0.0, dev=1.0) for t in texts} == {"dev"}


def test_more_gold_only_adds_gold() -> None:
    texts = [f"text {i}" for i in range(500)]
    small, large = ({t for t in texts if draw(t, gold=g) == "gold"} for g in (0.1, 0.3))
    assert small < large


def test_salt_makes_another_draw() -> None:
    texts = [f"text {i}" for i in range(2000)]
    one, other = ([draw(t, salt=s) == "gold" for t in texts] for s in ("a", "b"))
    both = sum(x and y for x, y in zip(one, other, strict=True))
    assert both < 45  # 20 expected if independent, 200 if the same


def title(text: str) -> str:
    return text.title() if text.title().casefold() == text.casefold() else text


@given(st.text(min_size=1))
@example("\u0390")  # taken apart by upper case and by case folding
@example("\ufb01ne Stra\xdfe")
def test_near_duplicates_share_the_normal_form(text: str) -> None:
    assume(any(c.isalnum() for c in unicodedata.normalize("NFKC", text)))
    upper = text.upper()
    assume(upper.casefold() == text.casefold())
    near = [
        upper,
        f"  {text}\n",
        f"{text}!!",
        "«" + text + "…»",
        unicodedata.normalize("NFD", text),
        unicodedata.normalize("NFKC", text),
    ]
    assert {normalise(t) for t in near} == {normalise(text)}
    assert {draw(t) for t in near} == {draw(text)}


@pytest.mark.parametrize(
    "one, other",
    [
        ("Great phone!", "great   PHONE"),
        ("ＫＥＳＴＲＥＬ　Ｋ９", "Kestrel K9"),
        ("Caf\u00e9 \u2460", "cafe\u0301 1"),
        ("it's 5 o'clock", "It\u2019s 5 o\u2019clock."),
    ],
)
def test_near_duplicates(one: str, other: str) -> None:
    assert one != other and normal_digest(one) == normal_digest(other)


def test_other_texts_and_texts_without_letters_stay_apart() -> None:
    texts = ["k9", "k10", "great phone", "great phones", "\U0001f600", "\U0001f601", "!", "?"]
    assert len({normal_digest(t) for t in texts}) == len(texts)


def make_row(id_: str, text: str, lane: Optional[str] = None) -> Row:
    return Row(source="rows.jsonl", id=id_, text=text, lane=lane)


@pytest.fixture
def dataset(tmp_path: Path) -> Any:
    with Dataset(tmp_path / "hitl.db") as dataset:
        yield dataset


def lane_of(dataset: Dataset, text: str) -> Optional[str]:
    return dataset.lane(text_digest(text))


@pytest.mark.parametrize("lane", LANES)
def test_lane_of_the_file_wins_at_first_import(lane: str, dataset: Dataset) -> None:
    dataset.add_rows([make_row("1", "hello", lane)], HALF)
    assert lane_of(dataset, "hello") == lane
    recorded = dataset.db.one("SELECT lane_source FROM texts")
    assert recorded == ("file",)


@pytest.mark.parametrize("first", LANES)
@pytest.mark.parametrize("then", LANES)
def test_a_text_never_moves(first: str, then: str, dataset: Dataset, fails: Any) -> None:
    dataset.add_rows([make_row("1", "hello", first)], HALF)
    if first == then:
        assert dataset.add_rows([make_row("2", "hello", then)], HALF) == 0
    else:
        with fails("H055", "rows.jsonl", "'2'", f"'{first}'", f"'{then}'"):
            dataset.add_rows([make_row("3", "new"), make_row("2", "hello", then)], HALF)
        assert dataset.count("rows") == 1
    other_shares = LaneSettings(gold=0.0, dev=0.9, salt="other")
    dataset.add_rows([make_row("4", "hello")], other_shares)
    assert lane_of(dataset, "hello") == first


def test_a_drawn_lane_never_moves_either(dataset: Dataset, fails: Any) -> None:
    dataset.add_rows([make_row("1", "hello")], LaneSettings(gold=0.0, dev=0.0))
    assert lane_of(dataset, "hello") == "train"
    assert dataset.db.one("SELECT lane_source FROM texts") == ("drawn",)
    with fails("H055"):
        dataset.add_rows([make_row("2", "hello", "gold")], HALF)


@pytest.mark.parametrize("lane", LANES)
def test_a_near_duplicate_follows_the_stored_text(lane: str, dataset: Dataset) -> None:
    rows = [make_row("1", "Hello there", lane), make_row("2", "HELLO, there!")]
    dataset.add_rows(rows, HALF)
    assert lane_of(dataset, "HELLO, there!") == lane


texts = st.lists(st.text("abÀ! \n", min_size=1).filter(str.strip), min_size=1, unique=True)


@given(texts, st.randoms())
def test_drawn_lanes_do_not_depend_on_order(
    tmp_path_factory: Any, found: List[str], random: Any
) -> None:
    lanes = []
    for _ in range(2):
        random.shuffle(found)
        with Dataset(tmp_path_factory.mktemp("order") / "hitl.db") as dataset:
            for i, text in enumerate(found):
                dataset.add_rows([make_row(str(i), text)], HALF)
            lanes.append({text: lane_of(dataset, text) for text in found})
    assert lanes[0] == lanes[1]


def test_lanes_other_than_ours_are_refused_by_the_file(dataset: Dataset, fails: Any) -> None:
    with fails("H060", "CHECK"):
        dataset.add_rows([make_row("1", "hello", "test")], HALF)
    assert dataset.count("texts") == 0
