"""The business logic of the worked example, without a model: documents are built by hand."""

from pathlib import Path
from typing import Any, Dict, List, Optional

import pytest
import spacy
import srsly
from spacy.tokens import Doc, Span
from spacy.util import import_file

from spacy_hitl.apply.business import BusinessLogic, resolve_business
from spacy_hitl.records import Row

REPO = Path(__file__).parents[2]
CATALOG = REPO / "assets/catalog.jsonl"
phones = import_file("phones_business", REPO / "scripts/phones.py")
nlp = spacy.blank("en")

L5, L6 = "L0550-X1100", "L0600-X1180"
K9, K10 = "K0900-T0410", "K1000-T0466"


def make_doc(text: str, *mentions: Any, **cats: float) -> Doc:
    """A document as the pipeline would leave it. mentions: (words, catalog id or None)."""
    doc = nlp(text)
    ents, start = [], 0
    for words, id_ in mentions:
        at = text.index(words, start)
        start = at + len(words)
        ents.append(doc.char_span(at, start, label="PRODUCT", kb_id=id_ or "NIL"))
    doc.ents = ents
    doc.cats.update(cats)
    return doc


def ask(doc: Doc, date: Optional[str] = "2025-03-01", catalog: Path = CATALOG) -> Any:
    """All records, as `apply` makes and checks them."""
    logic = resolve_business({"@misc": "phones.Business.v1", "catalog": str(catalog)})
    row = Row("posts.jsonl", "p1", doc.text, meta=None if date is None else {"date": date})
    return logic(doc, row)


def changed_catalog(path: Path, changes: Dict[str, Any], *more: Dict[str, Any]) -> Path:
    """The catalog with other values for some products, and with more of them."""
    lines = [{**line, **changes.get(line["id"], {})} for line in srsly.read_jsonl(CATALOG)]
    srsly.write_jsonl(path, [*lines, *more])
    return path


def test_a_record_has_all_a_product_team_asks() -> None:
    doc = make_doc(
        "The L6 lasts.", ("L6", L6), BATTERY_POSITIVE=0.9, RELEVANT=0.8, NOT_RELEVANT=0.2
    )
    assert ask(doc) == (
        {
            "date": "2025-03-01",
            "mention": "L6",
            "mentions": 1,
            "phones_in_post": 1,
            "relevant": True,
            "product_id": L6,
            "product": "Lumen L6",
            "family": "Lumen L",
            "released": "2024-08",
            "months_on_sale": 7,
            "is_latest": True,
            "predecessor": "Lumen L5",
            "names_predecessor": False,
            "battery": "positive",
            "camera": None,
            "performance": None,
            "design": None,
        },
    )


@pytest.mark.parametrize(
    "date, latest",
    [("2024-07-31", True), ("2024-08-01", False), ("2025-12-31", False)],
)
def test_the_latest_of_a_family_depends_on_the_day(date: str, latest: bool) -> None:
    (record,) = ask(make_doc("my L5", ("L5", L5)), date)
    assert record["is_latest"] is latest


def test_a_phone_that_is_not_out_yet_is_no_latest_one() -> None:
    l5, l6 = ask(make_doc("L5 or wait for the L6?", ("L5", L5), ("L6", L6)), "2024-05-01")
    assert (l5["is_latest"], l6["is_latest"], l6["months_on_sale"]) == (True, False, -3)


def test_a_changed_catalog_changes_records_with_nothing_retrained(tmp_path: Path) -> None:
    doc = make_doc("My K10 is slow.", ("K10", K10), PERFORMANCE_NEGATIVE=1.0)
    k11 = {"id": "K11", "name": "Kestrel K11", "released": "2025-06", "line": "Kestrel K"}
    newer = changed_catalog(tmp_path / "newer.jsonl", {}, {**k11, "predecessor": K10})
    for date, before, after in (("2025-05-31", True, True), ("2025-06-01", True, False)):
        assert ask(doc, date)[0]["is_latest"] is before
        assert ask(doc, date, newer)[0]["is_latest"] is after
    other = changed_catalog(tmp_path / "other.jsonl", {K10: {"released": "2023-12"}})
    assert ask(doc)[0]["months_on_sale"] == 13
    assert ask(doc, catalog=other)[0]["months_on_sale"] == 15


def test_one_record_per_phone_however_often_it_is_named() -> None:
    doc = make_doc(
        "The K10, my K10, not the iPhone 13 or the iphone 13 or K9.",
        *(("K10", K10), ("K10", K10), ("iPhone 13", None), ("iphone 13", None), ("K9", K9)),
    )
    records = ask(doc)
    assert [(r["mention"], r["mentions"], r["phones_in_post"]) for r in records] == [
        ("K10", 2, 3),
        ("iPhone 13", 2, 3),
        ("K9", 1, 3),
    ]
    assert [r["names_predecessor"] for r in records] == [True, None, None]
    other = records[1]
    assert all(other[k] is None for k in ("product_id", "product", "released", "is_latest"))
    assert len({tuple(r) for r in records}) == 1, "every record has the same fields"


@pytest.mark.parametrize(
    "cats, expected",
    [
        ({}, None),
        ({"CAMERA_POSITIVE": 0.5}, "positive"),
        ({"CAMERA_NEGATIVE": 0.7, "CAMERA_POSITIVE": 0.49}, "negative"),
        ({"CAMERA_NEGATIVE": 0.7, "CAMERA_POSITIVE": 0.6}, "mixed"),
    ],
)
def test_opinions(cats: Dict[str, float], expected: Optional[str]) -> None:
    (record,) = ask(make_doc("my L5", ("L5", L5), **cats))
    assert record["camera"] == expected


def test_the_threshold_of_the_pipeline_counts() -> None:
    function = phones.make_business(CATALOG)
    logic = BusinessLogic(function, name="phones", thresholds={"attributes": 0.25})
    doc = make_doc("my L5", ("L5", L5), DESIGN_NEGATIVE=0.3)
    row = Row("a", "1", doc.text)
    assert logic(doc, row)[0]["design"] == "negative"
    assert next(iter(function(doc, row)))["design"] is None


def test_without_a_date_only_what_needs_none() -> None:
    (record,) = ask(make_doc("my L6", ("L6", L6)), None)
    assert (record["released"], record["predecessor"]) == ("2024-08", "Lumen L5")
    assert (record["date"], record["months_on_sale"], record["is_latest"]) == (None, None, None)


def test_no_phone_no_record_and_a_link_to_nothing_is_an_error(fails: Any) -> None:
    assert ask(make_doc("The comet was bright.", RELEVANT=0.1, NOT_RELEVANT=0.9)) == ()
    with fails("H631", "phones.Business.v1", "X9", "not in the catalog"):
        ask(make_doc("my X9", ("X9", "X9")))


def test_every_entry_of_the_catalog_can_be_described() -> None:
    catalog = phones.Catalog.read(CATALOG)
    assert len(catalog.products) == 15
    names: List[str] = []
    for id_ in catalog.products:
        found = phones.describe(catalog, id_, "2025-01-01", {id_})
        assert found["months_on_sale"] > 0 and found["is_latest"] in (True, False)
        names += [found["product"]] if found["is_latest"] else []
    assert len(names) == len({p.line for p in catalog.products.values()})


def test_spans_are_real() -> None:
    """The helper of this file: a mention that is no span of tokens would test nothing."""
    doc = make_doc("the L5+ here", ("L5+", L5))
    assert [type(e) for e in doc.ents] == [Span] and doc.ents[0].kb_id_ == L5
