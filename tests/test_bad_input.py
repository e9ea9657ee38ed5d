"""Whatever comes in through the real command line: a message with a code, and nothing is lost."""

import json
import re
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Tuple

import forked
import pytest

CONFIG = "configs/prototype.cfg"
DB = Path("datasets/hitl.db")
GOOD = {"id": "new", "text": "a new post"}
# Runs several commands as `python -m spacy` does, and looks at the database after each.
RUNNER = """
import contextlib, io, json, sqlite3, sys, traceback
from spacy.cli._util import app
from spacy.util import registry
from typer.main import get_command

registry.cli.get_all()
command = get_command(app)
for words in json.load(sys.stdin):
    said, status = io.StringIO(), 0
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            command(words, prog_name="python -m spacy")
        except SystemExit as e:
            status = e.code
        except BaseException:
            status = 1
            traceback.print_exc()
    dump = "".join(sqlite3.connect("datasets/hitl.db").iterdump())
    print(json.dumps([status, said.getvalue(), dump]))
"""


def check(status: int, said: str, code: str, *parts: str) -> None:
    """The command ended with 1 and one message that has a code and names the place."""
    said = " ".join(said.split())
    assert "Traceback" not in said, said
    assert status == 1, said
    assert re.findall(r"\[H\d{3}\]", said) == [f"[{code}]"], said
    for part in parts:
        assert part in said


def encode(*lines: Any) -> bytes:
    """JSON lines; bytes are taken as they are, surrogates become JSON escapes."""
    return b"\n".join(x if isinstance(x, bytes) else json.dumps(x).encode() for x in lines)


@dataclass
class Case:
    """A file whose second line is bad, read by a command."""

    word: str
    line: Any
    code: str
    says: str
    first: Any

    @property
    def name(self) -> str:
        return f"{self.word}_{CASES.index(self)}.jsonl"


def texts(line: Any, code: str, says: str) -> Case:
    return Case("annotate", line, code, says, GOOD)


def decisions(line: Any, code: str, says: str) -> Case:
    return Case("import", line, code, says, {"id": "p0001", "relevant": "NOT_RELEVANT"})


CASES = [
    texts(b'{"id": "2", "text": "\xe9"}', "H002", "codec can't decode"),
    texts(b"[1]", "H002", "found list"),
    texts({"text": "x"}, "H008", "'id'"),
    texts({"id": "2", "text": ""}, "H005", "is empty"),
    texts({"id": "2", "text": "x" * 100_000}, "H006", "100000 characters"),
    texts({"id": "2", "text": "a\x00b"}, "H005", "NUL character at offset 1"),
    texts({"id": "2", "text": "\ud800"}, "H005", "lone surrogate"),
    texts({"id": "new", "text": "x"}, "H052", "annotate_7.jsonl:1"),
    texts({"id": "\ud800", "text": "x"}, "H005", "(id)"),
    texts({"id": "2", "text": "x", "lane": "\ud800"}, "H054", "lane"),
    decisions(b"{", "H002", "not valid JSON"),
    decisions({"id": "p0002", "product": [[76, 78, "PHO\ud800NE"]]}, "H058", "unknown label"),
    decisions({"id": "p0002", "link": [[76, 78, "X-1"]]}, "H058", "unknown catalog id 'X-1'"),
    decisions({"id": "p0002", "link": [[76, 78, ["X"]]]}, "H058", "unknown catalog id"),
    decisions({"id": "p0002", "product": [[0, 9999, "PRODUCT"]]}, "H061", "0 to 9999"),
    decisions({"id": "p0002", "lane": "train", "product": []}, "H055", "'gold'"),
    decisions({"id": "nobody", "relevant": "RELEVANT"}, "H059", "'nobody'"),
    decisions({"text": "\ud800", "relevant": "RELEVANT"}, "H059", "names no stored text"),
]


@pytest.fixture(scope="module")
def answers(exported_project: Path, tmp_path_factory: Any) -> List[Any]:
    """What every case gave: exit code, output, dump of the database afterwards."""
    root = shutil.copytree(exported_project, tmp_path_factory.mktemp("bad") / "project")
    for case in CASES:
        (root / case.name).write_bytes(encode(case.first, case.line))
    commands = [["hitl", case.word, CONFIG, case.name] for case in CASES]
    done = subprocess.run(
        [sys.executable, "-c", RUNNER],
        input=json.dumps(commands).encode(),
        cwd=root,
        check=True,
        capture_output=True,
        timeout=120,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.word}-{case.code}-{case.says}")
def test_a_bad_line_stores_nothing(case: Case, answers: List[Any], exported_project: Path) -> None:
    status, said, dump = answers[CASES.index(case)]
    check(status, said, case.code, f"{case.name}:2", case.says)
    before = sqlite3.connect(exported_project / DB)
    assert dump == "".join(before.iterdump())
    before.close()


# Each of these in a process of its own


def contents(path: Path = DB) -> Dict[str, List[Any]]:
    """Everything that stands in a database, read without the package."""
    connection = sqlite3.connect(path)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        tables = sorted(name for (name,) in names)
        return {t: connection.execute(f"SELECT * FROM {t}").fetchall() for t in tables}
    finally:
        connection.close()


def hitl(*words: str) -> Tuple[int, str]:
    """RETURNS: Exit code and output of a command."""
    log = Path("hitl.log")
    process = forked.start(*words, log=log)
    process.join(120)
    return process.exitcode, log.read_text(encoding="utf8")


def hitl_anew(*words: str) -> Tuple[int, str]:
    """The same with an interpreter of its own, and the limits of this one."""
    command = [sys.executable, "-m", "spacy", "hitl", *words]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120
    )
    return done.returncode, done.stdout


@pytest.fixture
def nothing_is_lost(exported: Any) -> Any:
    Path("new.jsonl").write_bytes(encode(GOOD))
    before = contents()
    yield
    assert contents() == before


@pytest.mark.usefixtures("nothing_is_lost")
class TestCommands:
    def test_broken_json(self) -> None:
        Path("bad.jsonl").write_bytes(encode(GOOD, b'{"id": "2", "text": '))
        check(*hitl_anew("annotate", CONFIG, "bad.jsonl"), "H002", "bad.jsonl:2", "not valid JSON")

    def test_what_no_terminal_can_show(self) -> None:
        line = {"id": "p0002", "product": [[76, 78, "PHO\ud800NE"]]}
        Path("bad.jsonl").write_bytes(encode(line))
        check(*hitl_anew("import", CONFIG, "bad.jsonl"), "H058", "bad.jsonl:1", "PHO\\ud800NE")

    def test_missing_file(self) -> None:
        check(*hitl("annotate", CONFIG, "no.jsonl"), "H001", "no.jsonl")

    def test_a_folder_in_place_of_a_file(self) -> None:
        check(*hitl("import", CONFIG, "assets"), "H004", "'assets'")

    @pytest.mark.parametrize(
        "old, new, code, says",
        [
            ("components.product.model", "more", "H100", "[components.product.model]"),
            ("[nlp]", "[nlp", "H003", "bad.cfg"),
            ("[nlp]", "[paths]\n[nlp]", "H003", "'paths'"),
            ("[hitl.lanes]", "[hitl.lane]", "H012", "'lane'"),
            ("assets/catalog.jsonl", "assets/no.jsonl", "H001", "assets/no.jsonl"),
        ],
    )
    def test_a_config_that_cannot_be_used(self, old: str, new: str, code: str, says: str) -> None:
        text = Path(CONFIG).read_text()
        assert text.count(old) == 1
        Path("configs/bad.cfg").write_text(text.replace(old, new))
        check(*hitl("annotate", "configs/bad.cfg", "new.jsonl"), code, says)

    def test_a_text_in_another_lane(self, exported: Any) -> None:
        line = {"id": "2", "text": exported.posts[0]["text"], "lane": "train"}
        Path("bad.jsonl").write_bytes(encode(GOOD, line))
        check(*hitl("annotate", CONFIG, "bad.jsonl"), "H055", "bad.jsonl", "'2'", "'gold'")

    def test_an_id_with_another_text(self, exported: Any) -> None:
        line = {"id": exported.posts[0]["id"], "text": "another text"}
        Path(exported.texts).write_bytes(encode(GOOD, line))
        check(*hitl("annotate", CONFIG, str(exported.texts)), "H053", "posts.jsonl", line["id"])

    def test_a_dataset_of_a_newer_version(self) -> None:
        connection = sqlite3.connect(DB)
        connection.execute("PRAGMA user_version = 99")
        connection.close()
        parts = (str(DB), "format 99", "pip install --upgrade")
        check(*hitl("annotate", CONFIG, "new.jsonl"), "H050", *parts)
        check(*hitl("export", CONFIG), "H050", *parts)

    def test_a_dataset_that_is_none(self, exported: Any) -> None:
        other = Path("datasets/text.db")
        other.write_text("no database at all\n" * 9)
        exported.edit({"hitl.dataset": str(other)})
        check(*hitl("annotate", CONFIG, "new.jsonl"), "H051", str(other))
        assert other.read_text() == "no database at all\n" * 9


def test_a_full_disk(small_disk: Any, exported: Any) -> None:
    path = small_disk.folder / "hitl.db"
    shutil.copy(DB, path)
    exported.edit({"hitl.dataset": str(path)})
    before = contents(path)
    lines = [{"id": f"new {i}", "text": f"post {i} " * 100, "lane": "dev"} for i in range(400)]
    Path("new.jsonl").write_bytes(encode(*lines))
    small_disk.fill()
    failed = hitl_anew("annotate", CONFIG, "new.jsonl", "--quiet")
    check(*failed, "H060", str(path), "Free some disk space")
    small_disk.free()
    assert contents(path) == before
    status, said = hitl_anew("import", CONFIG, str(exported.reference), "--annotator", "bob")
    assert status == 0, said
    assert len(contents(path)["decisions"]) == 2 * len(before["decisions"])


@pytest.mark.parametrize("small_disk", ["tmpfs"], indirect=True)  # only the corpus is on it
def test_a_full_disk_during_export(small_disk: Any, exported: Any) -> None:
    corpus = small_disk.folder / "corpus"
    exported.edit({"hitl.corpus": str(corpus)})
    small_disk.fill()
    check(*hitl_anew("export", CONFIG), "H007", str(corpus), "Free some disk space")
    small_disk.free()
    assert not list(corpus.rglob("*.*"))
