"""The business logic of the worked example: what a product team asks, from what the models found.

The models say which phones a post is about and which opinions it holds. When a phone was released,
what came before it, and whether it was the newest of its family on the day of the post stands in
the catalog: change the catalog, and the records change, with nothing trained again.

usage: spacy hitl apply pipelines/phones assets/posts.jsonl found.jsonl --config \
    configs/prototype.cfg --code scripts/phones.py
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Set

import spacy
from spacy.tokens import Doc, Span

ATTRIBUTES = ("BATTERY", "CAMERA", "PERFORMANCE", "DESIGN")
COMPONENT = "attributes"


@dataclass(frozen=True)
class Product:
    """A line of the catalog. released: year and month, as "2024-06". line: its family."""

    id: str
    name: str
    released: str
    line: str
    predecessor: Optional[str] = None


class Catalog:
    """What is known of the products, and what follows from it on a given day.

    products (Sequence[Product]): All of them.
    """

    def __init__(self, products: Sequence[Product]) -> None:
        self.products = {product.id: product for product in products}

    @classmethod
    def read(cls, path: Path) -> "Catalog":
        """RETURNS (Catalog): The catalog of a JSONL file."""
        lines = (json.loads(line) for line in path.read_text("utf8").splitlines() if line.strip())
        names = Product.__dataclass_fields__
        return cls([Product(**{k: v for k, v in line.items() if k in names}) for line in lines])

    def latest(self, line: str, date: str) -> Optional[Product]:
        """RETURNS (Optional[Product]): The newest product of a family on a day ("2025-03-01")."""
        out = [p for p in self.products.values() if p.line == line and p.released <= date[:7]]
        return max(out, key=lambda p: (p.released, p.id), default=None)


def months_between(released: str, date: str) -> int:
    """RETURNS (int): Months from "2024-06" to the month of "2025-03-01": here 9."""
    year, month = (int(part) for part in released.split("-")[:2])
    then_year, then_month = (int(part) for part in date.split("-")[:2])
    return (then_year - year) * 12 + then_month - month


def opinions(cats: Mapping[str, float], threshold: float) -> Dict[str, Optional[str]]:
    """RETURNS (Dict[str, Optional[str]]): By attribute: positive, negative, mixed, or None."""
    found: Dict[str, Optional[str]] = {}
    for name in ATTRIBUTES:
        good = cats.get(f"{name}_POSITIVE", 0.0) >= threshold
        bad = cats.get(f"{name}_NEGATIVE", 0.0) >= threshold
        found[name.lower()] = (
            "mixed" if good and bad else "positive" if good else "negative" if bad else None
        )
    return found


def is_relevant(cats: Mapping[str, float]) -> Optional[bool]:
    """RETURNS (Optional[bool]): Whether a post is about a phone; None if nobody was asked."""
    if "RELEVANT" not in cats:
        return None
    return cats["RELEVANT"] > cats.get("NOT_RELEVANT", 0.0)


def group_mentions(ents: Sequence[Span]) -> Dict[str, List[Span]]:
    """RETURNS (Dict[str, List[Span]]): Mentions by what they mean: a post that names a phone three
    times counts once. Those outside the catalog by their words.
    """
    groups: Dict[str, List[Span]] = {}
    for ent in ents:
        groups.setdefault(product_id(ent) or ent.text.lower(), []).append(ent)
    return groups


def product_id(ent: Span) -> Optional[str]:
    """RETURNS (Optional[str]): The catalog id of a mention; None if it has none."""
    return None if ent.kb_id_ in ("", "NIL") else ent.kb_id_


@spacy.registry.misc("phones.Business.v1")
def make_business(catalog: Path) -> Callable[[Doc, Any], Iterator[Dict[str, Any]]]:
    """Make the function.

    catalog (Path): JSONL file with id, name, released, line and predecessor of each product.
    RETURNS (Callable): From a document and its row to one record per phone that the post names.
    """
    known = Catalog.read(Path(catalog))

    def business(doc: Doc, row: Any) -> Iterator[Dict[str, Any]]:
        date = (row.meta or {}).get("date")
        threshold = doc.user_data.get("hitl_thresholds", {}).get(COMPONENT, 0.5)
        groups = group_mentions(doc.ents)
        ids = {id_ for ent in doc.ents if (id_ := product_id(ent)) is not None}
        for mentions in groups.values():
            yield {
                "date": date,
                "mention": mentions[0].text,
                "mentions": len(mentions),
                "phones_in_post": len(groups),
                "relevant": is_relevant(doc.cats),
                **describe(known, product_id(mentions[0]), date, ids),
                **opinions(doc.cats, threshold),
            }

    return business


def describe(
    catalog: Catalog, id_: Optional[str], date: Optional[str], others: Set[str]
) -> Dict[str, Any]:
    """Say what the catalog knows of a phone on the day of a post.

    catalog (Catalog): The catalog.
    id_ (Optional[str]): The phone; None for one of another maker.
    date (Optional[str]): Of the post, as "2025-03-01".
    others (Set[str]): All phones that the post names.
    RETURNS (Dict[str, Any]): Always the same fields; None where nothing is known.
    """
    product = catalog.products.get(id_) if id_ is not None else None
    if id_ is not None and product is None:
        raise ValueError(f"the pipeline links to '{id_}', which is not in the catalog")
    before = None if product is None else catalog.products.get(product.predecessor or "")
    latest = None if product is None or date is None else catalog.latest(product.line, date)
    return {
        "product_id": id_,
        "product": None if product is None else product.name,
        "family": None if product is None else product.line,
        "released": None if product is None else product.released,
        "months_on_sale": None
        if product is None or date is None
        else months_between(product.released, date),
        "is_latest": None if product is None or date is None else latest == product,
        "predecessor": None if before is None else before.name,
        "names_predecessor": None if before is None else before.id in others,
    }
