"""Files that somebody damaged, by hand or on purpose: read whole, or refused with their name."""

import copy
import json
from pathlib import Path
from typing import Any, Callable, Dict, Tuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from json_world import places

from spacy_hitl.dataset.corpus import is_corpus, read_corpus, write_corpus
from spacy_hitl.dataset.digests import describe_corpus
from spacy_hitl.dataset.exchange import dump, is_dump, load
from spacy_hitl.dataset.label_errors import read_suspects, write_suspects
from spacy_hitl.dataset.rows import read_rows
from spacy_hitl.dataset.store import Dataset
from spacy_hitl.errors import HitlError
from spacy_hitl.io import write_json, write_jsonl
from spacy_hitl.llm.replay import read_recording
from spacy_hitl.promote.history import Swap, earlier_versions, journal_path, read_journal
from spacy_hitl.promote.lineage import read_lineage
from spacy_hitl.promote.switch import read_meta
from spacy_hitl.records import (
    Annotation,
    CorpusDigest,
    Learned,
    Lineage,
    Proposal,
    SpanAnnotation,
    StudentLineage,
    Suspect,
    SuspectsHeader,
    TaskHeader,
    TaskRow,
)
from spacy_hitl.review.session.opening import read_keys
from spacy_hitl.scoring.outputs import read_outputs, write_outputs
from spacy_hitl.scoring.results import GoldOutput, SystemScore, TaskMetrics, read_all_metrics
from spacy_hitl.settings import DataSettings, Settings
from spacy_hitl.tasks.linking.catalog import read_catalog

HEADER = TaskHeader("thing", "ner", ("A", "B"), "digest")
FOUND = Annotation(spans=(SpanAnnotation(0, 2, "A", score=0.5, score_source="votes"),))
SYSTEM = SystemScore("s", "student", 0.5, 0.4, 0.6, 0.5, 0.5, labels=())
CORPUS_ROWS = [
    TaskRow("K9 is in.", "d1", "train", decision=FOUND, origin="person"),
    TaskRow("No", "d2", "dev", proposal=Proposal("d2", "thing", "m", "ok", "digest", FOUND)),
]
LEARNED = Learned("c", (CorpusDigest("corpus/a.jsonl", "thing", "ner", "t", "d"),), (("f", "d"),))
STUDENT = StudentLineage("ner", "t", "d", {"f": 0.5}, (0.4, 0.6), 9, learned=LEARNED)


def write_meta(path: Path) -> None:
    hitl = Lineage("p", "1", students={"thing": STUDENT}, prompted=("x",)).to_dict()
    pipeline = ["thing"]
    write_json(path, {"name": "p", "version": "0.0.0", "pipeline": pipeline, "hitl": hitl})


def write_dump(path: Path) -> None:
    folder = path.parent / "dump"
    folder.mkdir(exist_ok=True)
    write_jsonl(folder / "texts.jsonl", TEXTS)
    with Dataset(folder / "x.db") as dataset:
        rows = read_rows(folder / "texts.jsonl", DataSettings())
        dataset.add_rows(rows, Settings().lanes)
        digest = dataset.find_text("1")
        assert digest is not None
        dataset.add_proposals([Proposal(digest, "thing", "m", "ok", "digest", FOUND)])
        write_jsonl(path, dump(dataset))


def read_dump(path: Path) -> None:
    """Load it into a dataset that has something; a file that is refused leaves that alone."""
    folder = path.parent / "dump"
    with Dataset(folder / "x.db") as dataset:
        before = list(dataset.db._connection.iterdump())  # type: ignore[union-attr]
        try:
            is_dump(path)
            load(path, dataset, Settings())
        except HitlError:
            after = list(dataset.db._connection.iterdump())  # type: ignore[union-attr]
            assert after == before, "a file that is refused leaves nothing behind"
            raise


def read_journal_of(path: Path) -> None:
    lines = read_journal(path.with_name("phones"))
    for name in earlier_versions(lines, "b"):
        assert Path(name).name == name, "no way out of the folder of versions"


def read_two_metas(path: Path) -> None:
    meta = read_meta(path.parent)
    assert set(meta.get("hitl", {}).get("students", {})) <= {"thing"} | set(map(str, meta))
    read_lineage(path.parent)


TEXTS = [{"id": 1, "text": "K9", "lane": "gold", "n": [1, {"a": None}]}, {"id": "2", "text": "x"}]
Work = Callable[[Path], Any]
# Name of the file, how it is written, how it is read.
FILES: Dict[str, Tuple[str, Work, Work]] = {
    "texts": (
        "texts.jsonl",
        lambda path: write_jsonl(path, TEXTS),
        lambda path: read_rows(path, DataSettings()),
    ),
    "catalog": (
        "catalog.jsonl",
        lambda path: write_jsonl(path, [{"id": "Q1", "name": "K9", "aliases": ["k"], "x": 1}]),
        read_catalog,
    ),
    "recording": (
        "recording.jsonl",
        lambda path: write_jsonl(path, [{"text_digest": "d", "task": "t", "response": "{}"}]),
        lambda path: read_recording(path, texts=None),
    ),
    "corpus": (
        "corpus.jsonl",
        lambda path: write_corpus(path, HEADER, CORPUS_ROWS),
        lambda path: (is_corpus(path), read_corpus(path), describe_corpus(str(path))),
    ),
    "suspects": (
        "suspects.jsonl",
        lambda path: write_suspects(
            path,
            SuspectsHeader("thing", "ner", "digest", 2, 1, 5, 5, {"A": 0.5}),
            [Suspect("d", "thing", "missing", 0.9, suggested=FOUND)],
        ),
        read_suspects,
    ),
    "metrics": (
        "thing.json",
        lambda path: write_json(
            path,
            TaskMetrics(HEADER, "ents_f", 9, (("person", 9),), True, (SYSTEM,)).to_dict(),
        ),
        lambda path: read_all_metrics(path.parent, ["thing"]),
    ),
    "outputs": (
        "outputs.jsonl",
        lambda path: write_outputs(path, HEADER, [GoldOutput("K9", "1", FOUND, (("s", FOUND),))]),
        read_outputs,
    ),
    "journal": (
        journal_path(Path("phones")).name,
        lambda path: write_jsonl(path, [Swap("a").to_dict(), Swap("b", "a", time=1.5).to_dict()]),
        read_journal_of,
    ),
    "meta": ("meta.json", write_meta, read_two_metas),
    "keys": ("keys.json", lambda path: write_json(path, {"accept": ["a", "Enter"]}), read_keys),
    "dataset export": ("dataset.jsonl", write_dump, read_dump),
}


@pytest.fixture(params=sorted(FILES))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def attempt(name: str, path: Path) -> bool:
    """RETURNS: Whether it was refused, in a way that a user understands."""
    try:
        FILES[name][2](path)
    except HitlError as e:
        assert path.name in str(e) or "'hitl'" in str(e) or str(path.parent) in str(e), e
        return True
    return False


LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 40),
    st.sampled_from([10**400, 2**63, 0.5, float("nan"), float("-inf"), 1e308]),
    st.sampled_from(["", "A", "\ud800", "\x00", "../../x", "/dev/zero", "'; --", "x" * 3000]),
)
ANY = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["v", "text", "label", "\ud800", "hitl"]), inner)
    ),
    max_leaves=5,
)


def damage(data: Any, value: Any) -> Any:
    """A value in which one or two places hold something else, or nothing."""
    value = copy.deepcopy(value)
    for path in data.draw(st.lists(st.sampled_from(places(value)), min_size=1, max_size=2)):
        inner = value
        try:
            for key in path[:-1]:
                inner = inner[key]
            kind = data.draw(st.sampled_from(["other", "gone", "more"]))
            if kind == "gone":
                del inner[path[-1]]
            elif kind == "more" and isinstance(inner, dict):
                inner[data.draw(st.sampled_from(["\ud800", "x", "__class__", ""]))] = 1
            else:
                inner[path[-1]] = data.draw(ANY)
        except (KeyError, IndexError, TypeError):
            continue  # what led there is gone already
    return value


def test_any_json(name: str, tmp_path: Path) -> None:
    file, write, read = FILES[name]
    path = tmp_path / file
    write(path)
    read(path)
    lines = path.suffix == ".jsonl"
    good = path.read_text(encoding="utf8")
    values = [json.loads(line) for line in good.splitlines()] if lines else json.loads(good)
    refused = 0

    @settings(max_examples=150, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def check(data: Any) -> None:
        nonlocal refused
        value = damage(data, values)
        path.write_text("\n".join(map(json.dumps, value)) if lines else json.dumps(value))
        refused += attempt(name, path)

    check()
    assert refused > 10


def test_any_bytes(name: str, tmp_path: Path) -> None:
    file, write, _ = FILES[name]
    path = tmp_path / file
    write(path)
    good = path.read_bytes()

    @settings(max_examples=80, suppress_health_check=list(HealthCheck))
    @given(st.integers(0, len(good)), st.integers(0, 20), st.binary(max_size=9))
    def check(at: int, gone: int, new: bytes) -> None:
        path.write_bytes(good[:at] + new + good[at + gone :])
        attempt(name, path)

    check()


DEEP = 200_000


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n\n",
        b"[]",
        b"{}",
        b"null",
        b"[" * DEEP + b"]" * DEEP,
        b'{"a":' * DEEP + b"1" + b"}" * DEEP,
        b"9" * 5000,
        b'{"v": 1e999}',
        b'{"v": ' + b"9" * 4000 + b"}",
        b"\xef\xbb\xbf{}",
        b"\xff\xfe{\0}\0",
        b"\0" * 4096,
    ],
    ids=range(13),
)
def test_any_content(name: str, content: bytes, tmp_path: Path) -> None:
    file, write, _ = FILES[name]
    write(tmp_path / file)
    (tmp_path / file).write_bytes(content)
    attempt(name, tmp_path / file)
