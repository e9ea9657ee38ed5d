"""Business logic in a run: what it may give, where that goes, and what a failure costs."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any, Dict, Iterator, List

import numpy as np
import pytest
import spacy
import srsly
from apply_world import make_pipeline, make_texts, write
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc, DocBin
from typer.testing import CliRunner

from spacy_hitl.apply.business import (
    MAX_CHARS,
    MAX_FIELDS,
    MAX_INT,
    MAX_NAME,
    MAX_RECORDS,
    BusinessLogic,
    resolve_business,
    thresholds_of,
    wrong_with,
)
from spacy_hitl.apply.run import apply
from spacy_hitl.cli import hitl_cli
from spacy_hitl.pipeline.loading import load_config_file, settings_of
from spacy_hitl.records import Row

REPO = Path(__file__).parents[2]
OUT, CONFIG, CODE = Path("out.jsonl"), Path("project.cfg"), Path("shop.py")
SHOP = """
import json
from pathlib import Path
import spacy

@spacy.registry.misc("shop.Business.v1")
def make(prices):
    table = json.loads(Path(prices).read_text())
    def business(doc, row):
        if "BROKEN" in doc.text:
            raise KeyError("no price")
        if "NESTED" in doc.text:
            return [{"a": [1]}]
        return [{"product": e.text, "price": table.get(e.text), "row": row.id} for e in doc.ents]
    return business

@spacy.registry.misc("shop.Broken.v1")
def make_broken():
    raise RuntimeError("out of stock")
"""


@pytest.fixture
def shop(pipeline: str) -> str:
    """A pipeline, a price list, code and config of a shop, in an empty folder."""
    CODE.write_text(SHOP)
    Path("prices.json").write_text('{"Nebula": 499, "K9": 99.5}')
    configure()
    return pipeline


def configure(**block: Any) -> None:
    values = block or {"@misc": "shop.Business.v1", "prices": "${paths.prices}"}
    lines = [f"{key} = {json.dumps(value)}" for key, value in values.items()]
    text = "\n".join(['[paths]\nprices = "prices.json"', "[hitl]", "[hitl.business]", *lines])
    CONFIG.write_text(text.replace('"${paths.prices}"', "${paths.prices}"))


def run(pipeline: str, texts: Path, out: Any = OUT, **options: Any) -> Any:
    return apply(pipeline, texts, out, **{"config": CONFIG, "code": CODE, **options})


def records(out: Path = OUT) -> List[Dict[str, Any]]:
    return [r for part in sorted(out.glob("business-*.jsonl")) for r in srsly.read_jsonl(part)]


def prices(number: int) -> Any:
    return [(r["product"], r["price"], r["row"]) for r in records()][:number]


# A run


def test_records_lie_beside_the_results_of_every_shard(shop: str) -> None:
    summary = run(shop, write(make_texts(7)), shard_rows=3)
    assert summary.written == 7
    assert sorted(p.name for p in OUT.glob("*-0*")) == [
        f"{kind}-0000{n}.jsonl" for kind in ("business", "part") for n in range(3)
    ]
    assert prices(3) == [("Nebula", 499, "r0"), ("K9", 99.5, "r1"), ("Orion", None, "r2")]
    assert all((r["source"], r["id"]) == ("texts.jsonl", r["row"]) for r in records())
    assert [r["id"] for r in records()] == ["r0", "r1", "r2", "r3", "r5", "r6"]


def test_docbins_and_workers_give_the_same_records(shop: str) -> None:
    path = write(make_texts(9))
    run(shop, path, shard_rows=4)
    run(shop, path, Path("bins.spacy"), shard_rows=4, workers=2)
    assert records(Path("bins.spacy")) == records() != []
    docs = DocBin().from_disk("bins.spacy/part-00000.spacy").get_docs(spacy.blank("en").vocab)
    assert all(set(doc.user_data) == {"hitl_row"} for doc in docs)


def test_without_business_logic_there_is_no_file_of_it(shop: str) -> None:
    CONFIG.write_text("[hitl]\n")
    run(shop, write(make_texts(3)))
    assert not list(OUT.glob("business-*"))


def test_a_row_whose_business_fails_fails_alone(shop: str) -> None:
    texts = make_texts(6)
    texts[1] += " BROKEN"
    texts[3] += " NESTED"
    summary = run(shop, write(texts))
    assert summary.written == 4
    reasons = {row.id: row.reason for row in summary.failed}
    assert sorted(reasons) == ["r1", "r3"]
    assert "[H631]" in reasons["r1"] and "KeyError: 'no price'" in reasons["r1"]
    assert "[H632]" in reasons["r3"] and "'a' of type list" in reasons["r3"]
    assert [r["id"] for r in records()] == ["r0", "r2", "r5"]
    found = [r["id"] for r in srsly.read_jsonl(OUT / "part-00000.jsonl")]
    assert found == ["r0", "r2", "r4", "r5"]
    assert [r["id"] for r in srsly.read_jsonl(OUT / "errors.jsonl")] == ["r1", "r3"]


def test_a_lost_part_is_done_again_to_the_byte(shop: str) -> None:
    path = write(make_texts(7))
    run(shop, path, shard_rows=3)
    before = {p.name: p.read_bytes() for p in OUT.glob("*-0*")}
    (OUT / "part-00001.jsonl").unlink()
    (OUT / "business-00001.jsonl").write_text("torn")
    summary = run(shop, path, shard_rows=3)
    assert summary.before == 4
    assert {p.name: p.read_bytes() for p in OUT.glob("*-0*")} == before


def test_records_are_there_before_their_part(shop: str, fails: Any) -> None:
    """So that a kill between the two leaves nothing that would never be made up for."""
    path = write(make_texts(2))
    run(shop, path)
    for name in ("part-00000.jsonl", "business-00000.jsonl"):
        (OUT / name).unlink()
    (OUT / "business-00000.jsonl").mkdir()  # can't be replaced by a file
    with fails("H007", "business-00000.jsonl"):
        run(shop, path)
    assert not (OUT / "part-00000.jsonl").exists()
    (OUT / "business-00000.jsonl").rmdir()
    assert run(shop, path).before == 0 and len(records()) == 2


def test_a_changed_file_of_the_rules_changes_records_with_the_same_pipeline(
    shop: str, fails: Any
) -> None:
    path = write(make_texts(2))
    run(shop, path)
    before = (OUT / "part-00000.jsonl").read_bytes()
    Path("prices.json").write_text('{"Nebula": 399}')
    with fails("H603", "business logic", "--overwrite"):
        run(shop, path)
    assert prices(1) == [("Nebula", 499, "r0")]
    run(shop, path, overwrite=True)
    assert prices(2) == [("Nebula", 399, "r0"), ("K9", None, "r1")]
    assert (OUT / "part-00000.jsonl").read_bytes() == before


def test_what_cannot_be_made_is_said_before_anything_is_written(shop: str, fails: Any) -> None:
    path = write(make_texts(2))
    configure(**{"@misc": "nobody.Business.v1"})
    with fails("H630", "nobody.Business.v1", "--code"):
        run(shop, path)
    configure(**{"@misc": "shop.Broken.v1"})
    with fails("H630", "shop.Broken.v1", "out of stock"):
        run(shop, path)
    configure(prices="prices.json")
    with fails("H630", "without a name", "dict"):
        run(shop, path)
    configure()
    Path("prices.json").unlink()
    with fails("H630", "shop.Business.v1", "prices.json"):
        run(shop, path)
    with fails("H001", "nowhere.py"):
        run(shop, path, code=Path("nowhere.py"))
    CODE.write_text("raise SystemError('bad code')")
    with fails("H630", "shop.py", "bad code"):
        run(shop, path)
    assert not OUT.exists()


def test_code_is_imported_once_in_a_process(shop: str) -> None:
    """spaCy refuses to set the same extension twice."""
    once = "import spacy.tokens\nspacy.tokens.Doc.set_extension('shop', default=1)\n"
    CODE.write_text(SHOP + once)
    for shard_rows in (1, 2):
        run(shop, write(make_texts(3)), overwrite=True, shard_rows=shard_rows)
    assert len(records()) == 3
    CODE.write_text(SHOP.replace("table.get(e.text)", "1"))
    run(shop, write(make_texts(3)), overwrite=True)
    assert prices(1) == [("Nebula", 1, "r0")]


@pytest.mark.needs("database")
def test_a_database_gets_them_too(shop: str) -> None:
    out = "sqlite:///found.db"
    texts = make_texts(4)
    texts[1] += " BROKEN"
    query = "SELECT id, record, content FROM business JOIN rows USING (row_key) ORDER BY 1, 2"
    for price in (499, 399):  # the second run takes the place of the first
        Path("prices.json").write_text(json.dumps({"Nebula": price}))
        assert run(shop, write(texts), out).written == 3
        with closing(sqlite3.connect("found.db")) as db:
            found = [(id_, n, json.loads(content)) for id_, n, content in db.execute(query)]
        expected = [("r0", "Nebula", price), ("r2", "Orion", None), ("r3", "👩‍🚀 One", None)]
        assert found == [
            (id_, 0, {"product": name, "price": cost, "row": id_}) for id_, name, cost in expected
        ]


def test_the_command(shop: str) -> None:
    words = ["apply", shop, str(write(make_texts(3))), str(OUT), "--quiet"]
    done = CliRunner().invoke(hitl_cli, [*words, "--config", str(CONFIG), "--code", str(CODE)])
    assert done.exit_code == 0, done.output
    assert prices(1) == [("Nebula", 499, "r0")]


def test_the_config_of_the_project_says_how_rows_are_read(shop: str) -> None:
    CONFIG.write_text(CONFIG.read_text() + '\n[hitl.data]\ntext_field = "body"\n')
    srsly.write_jsonl("bodies.jsonl", [{"id": "a", "body": "my Nebula"}])
    assert run(shop, Path("bodies.jsonl")).written == 1
    assert prices(1) == [("Nebula", 499, "a")]


# What a function may give


class Thing:
    def __call__(self, doc: Doc, row: Row) -> Iterator[Dict[str, Any]]:
        yield {"text": doc.text, "id2": row.id}
        yield {"none": None, "yes": True, "n": 3, "x": 0.5}


nlp = spacy.blank("en")


def ask(function: Any, **options: Any) -> Any:
    doc = nlp("my K9")
    return BusinessLogic(function, name="mine", **options)(doc, Row("a", "1", doc.text))


def test_anything_that_can_be_called_and_any_iterable() -> None:
    assert ask(Thing()) == (
        {"text": "my K9", "id2": "1"},
        {"none": None, "yes": True, "n": 3, "x": 0.5},
    )
    assert ask(lambda doc, row: ()) == ()
    assert ask(lambda doc, row: [{}]) == ({},)


@pytest.mark.parametrize(
    "answer, code, words",
    [
        (None, "H631", "NoneType"),
        ({"a": 1}, "H631", "expected a list of records"),
        ("text", "H631", "expected a list of records"),
        ([1], "H632", "type int"),
        ([{"a": 1}] * (MAX_RECORDS + 1), "H632", "1,000"),
        ([{"a": np.float32(1)}], "H632", "float32"),
        ([{"a": np.float64(1)}], "H632", "float64"),
    ],
)
def test_what_it_may_not_give(answer: Any, code: str, words: str, fails: Any) -> None:
    with fails(code, "mine", words):
        ask(lambda doc, row: answer)


def test_it_never_runs_for_ever(fails: Any) -> None:
    def endless(doc: Doc, row: Row) -> Iterator[Dict[str, Any]]:
        while True:
            yield {"a": 1}

    with fails("H632", "1,000 records"):
        ask(endless)


@pytest.mark.parametrize(
    "record, word",
    [
        ({f"f{i}": 1 for i in range(MAX_FIELDS + 1)}, "fields"),
        ({1: 2}, "named '1'"),
        ({"": 2}, "named"),
        ({"x" * (MAX_NAME + 1): 2}, "named"),
        ({"a\x00": 2}, "named"),
        ({"id": 2}, "the row's own"),
        ({"source": 2}, "the row's own"),
        ({"a": "x" * (MAX_CHARS + 1)}, "characters"),
        ({"a": "\x00"}, "NUL"),
        ({"a": "\ud800"}, "surrogate"),
        ({"a": float("nan")}, "nan"),
        ({"a": float("-inf")}, "inf"),
        ({"a": MAX_INT + 1}, "64 bits"),
        ({"a": {"b": 1}}, "type dict"),
        ({"a": b"x"}, "type bytes"),
    ],
)
def test_what_no_table_can_hold(record: Any, word: str) -> None:
    assert word in wrong_with(record)
    assert wrong_with({"good": 1, "better": "x"}) == ""


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-MAX_INT, MAX_INT),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")),
)
names = st.text("abc_ é👩", min_size=1, max_size=MAX_NAME)


@given(st.lists(st.dictionaries(names, scalars, max_size=4), max_size=3))
def test_good_records_come_back_as_they_were(given: List[Dict[str, Any]]) -> None:
    found = ask(lambda doc, row: given)
    assert list(found) == given == json.loads(json.dumps(found))


def test_thresholds_are_those_of_the_pipeline(here: Path) -> None:
    nlp = make_pipeline()  # of its own: the others have no categories
    for name, label, threshold in (("one", "A", 0.25), ("two", "B", 0.75)):
        pipe = nlp.add_pipe("textcat_multilabel", name=name, config={"threshold": threshold})
        pipe.add_label(label)
    nlp.add_pipe("textcat").add_label("C")
    assert thresholds_of(nlp) == {"one": 0.25, "two": 0.75}
    seen = []
    doc = nlp.make_doc("my K9")
    BusinessLogic(
        lambda d, row: seen.append(d.user_data["hitl_thresholds"]) or (),  # type: ignore[func-returns-value]
        name="mine",
        thresholds=thresholds_of(nlp),
    )(doc, Row("a", "1", doc.text))
    assert seen == [{"one": 0.25, "two": 0.75}]
    assert "hitl_thresholds" not in doc.user_data


# The worked example


def test_the_config_of_the_example_needs_no_code_but_for_apply(project: Any, fails: Any) -> None:
    nlp, settings = load_config_file(project.config)
    assert settings.business == {
        "@misc": "phones.Business.v1",
        "catalog": "assets/catalog.jsonl",
    }
    nlp.to_disk("saved")
    # In a process of its own: here other tests may have registered it.
    code = (
        "import spacy; from pathlib import Path\n"
        "from spacy_hitl.apply.run import apply\n"
        "spacy.load('saved'); spacy.blank('en').to_disk('blank')\n"
        f"apply('blank', Path('{project.texts}'), Path('o'), config=Path('{project.config}'))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "[H630]" in done.stderr and "phones.Business.v1" in done.stderr


def test_the_example_runs_over_posts(project: Any) -> None:
    make_pipeline().to_disk("pipeline")
    assert settings_of(project.config).business is not None
    srsly.write_jsonl("posts.jsonl", [{"id": "p", "text": "my K9", "date": "2025-02-03"}])
    code = REPO / "scripts/phones.py"
    apply("pipeline", Path("posts.jsonl"), OUT, config=project.config, code=code)
    (record,) = records()
    assert (record["id"], record["date"], record["mention"]) == ("p", "2025-02-03", "K9")


def test_a_function_can_be_named_without_a_pipeline(shop: str) -> None:
    spacy.util.import_file("shop_code", CODE)
    logic = resolve_business({"@misc": "shop.Business.v1", "prices": "prices.json"})
    assert (logic.name, logic.thresholds) == ("shop.Business.v1", {})
