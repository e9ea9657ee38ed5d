"""A small project to review, a server on it, and a client that speaks like the page."""

import contextlib
import http.client
import json
import shutil
import tempfile
import threading
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple
from urllib.parse import parse_qs, urlsplit

import spacy
import srsly

from spacy_hitl.dataset.store import Dataset
from spacy_hitl.io import text_digest
from spacy_hitl.pipeline.loading import load_prompted, prompted_tasks
from spacy_hitl.records import (
    NIL,
    Annotation,
    CategoryAnnotation,
    Proposal,
    RelationAnnotation,
    Row,
    SpanAnnotation,
)
from spacy_hitl.review.server.address import Address
from spacy_hitl.review.server.run import Link, review
from spacy_hitl.review.session.opening import Project, Wanted, open_session, read_project
from spacy_hitl.review.session.session import Session
from spacy_hitl.settings import LaneSettings

CONFIG = Path("review.cfg")
REPLAY = {"@llm_models": "spacy-hitl.Replay.v1", "path": "none.jsonl", "texts": "none.jsonl"}
TASKS: Dict[str, Dict[str, Any]] = {
    "product": {
        "@llm_tasks": "spacy-hitl.NER.v1",
        "labels": ["PHONE", "MAKER"],
        "label_definitions": {"PHONE": "a model of a phone"},
        "guidelines": "Be kind.",
    },
    "link": {"@llm_tasks": "spacy-hitl.Linking.v1", "catalog": "catalog.jsonl"},
    "made": {
        "@llm_tasks": "spacy-hitl.Relations.v1",
        "labels": ["MADE_BY"],
        "allowed": {"MADE_BY": [["PHONE", "MAKER"]]},
    },
    "parts": {
        "@llm_tasks": "spacy-hitl.SpanCat.v1",
        "labels": ["GOOD", "BAD"],
        "spans_key": "parts",
    },
    "topics": {"@llm_tasks": "spacy-hitl.TextCat.v1", "labels": ["CAMERA", "PRICE"]},
    "mood": {
        "@llm_tasks": "spacy-hitl.TextCat.v1",
        "labels": ["HAPPY", "SAD"],
        "exclusive_classes": True,
    },
}
CATALOG = [
    {"id": "P1", "name": "Nebula", "aliases": ["the Nebula", "SP Nebula"], "line": "space"},
    {"id": "P2", "name": "Nebula Pro", "aliases": ["the Pro"]},
    {"id": "P3", "name": "Kestrel", "aliases": []},
]
SECRET = "Zweifelsfrei"  # what only proposals say: it must never come out of a blind screen


def text_of(number: int) -> str:
    """Two mentions, the second made by the third; the number makes texts differ."""
    return f"The Nebula from Orion takes great photos, number {number}."


def proposal_of(text: str, task: str, key: Tuple[str, int, str]) -> Proposal:
    """What the model says of `text_of`."""
    source, sample, digest = key
    annotations = {
        "product": Annotation(
            spans=(SpanAnnotation(4, 10, "PHONE"), SpanAnnotation(16, 21, "MAKER"))
        ),
        "link": Annotation(
            spans=(
                SpanAnnotation(4, 10, "PHONE", kb_id="P1"),
                SpanAnnotation(16, 21, "MAKER", kb_id=NIL),
            )
        ),
        "made": Annotation(relations=(RelationAnnotation(4, 10, 16, 21, "MADE_BY"),)),
        "parts": Annotation(spans=(SpanAnnotation(22, 40, "GOOD"), SpanAnnotation(28, 40, "GOOD"))),
        "topics": Annotation(cats=(CategoryAnnotation("CAMERA"),)),
        "mood": Annotation(cats=(CategoryAnnotation("HAPPY"),)),
    }
    return Proposal(
        text_digest=text_digest(text),
        task=task,
        source=source,
        status="ok",
        task_digest=digest,
        annotation=annotations[task],
        sample=sample,
    )


def write_project(**wanted: Any) -> List[str]:
    """Make a project in the current folder, in place of one that was there; see `_make_project`.

    RETURNS (List[str]): Its texts.
    """
    name = repr(sorted(wanted.items()))
    if name not in _MADE:
        _MADE[name] = tempfile.TemporaryDirectory()
        with contextlib.chdir(_MADE[name].name):
            _TEXTS[name] = _make_project(**wanted)
    shutil.rmtree("datasets", ignore_errors=True)
    shutil.copytree(_MADE[name].name, ".", dirs_exist_ok=True)
    return list(_TEXTS[name])


_MADE: Dict[str, "tempfile.TemporaryDirectory[str]"] = {}
_TEXTS: Dict[str, List[str]] = {}


def _make_project(
    *,
    train: int = 6,
    gold: int = 2,
    tasks: Sequence[str] = tuple(TASKS),
    texts: Sequence[str] = (),
    review: Optional[Dict[str, Any]] = None,
) -> List[str]:
    """Make a project in the current folder.

    train, gold (int): Texts with proposals, by lane.
    tasks (Sequence[str]): Which of `TASKS`.
    texts (Sequence[str]): More train texts, without proposals.
    review (Optional[Dict[str, Any]]): [hitl.review].
    RETURNS (List[str]): All texts: train, gold, then the others.
    """
    srsly.write_jsonl("catalog.jsonl", CATALOG)
    nlp = spacy.blank("en")
    for name in tasks:
        nlp.add_pipe("hitl_llm", name=name, config={"task": TASKS[name], "model": REPLAY})
    config = nlp.config.copy()
    config["hitl"] = {"review": review} if review else {}
    config.to_disk(CONFIG)
    nlp, settings = load_prompted(CONFIG)
    found = [text_of(i) for i in range(train + gold)]
    rows = [
        Row("t", str(i), text, lane="gold" if i >= train else "train", meta={"n": i})
        for i, text in enumerate(found)
    ]
    rows += [Row("t", f"own{i}", text, lane="train") for i, text in enumerate(texts)]
    with Dataset(settings.dataset) as dataset:
        dataset.add_rows(rows, LaneSettings())
        for name, prompted in prompted_tasks(nlp).items():
            dataset.add_proposals(proposal_of(text, name, prompted.key) for text in found)
    return [row.text for row in rows]


def _read(wanted: Wanted) -> Project:
    """Read the project of the current folder, or take one that was read from the same files."""
    files = sorted(p for p in Path().iterdir() if p.suffix in (".cfg", ".json", ".jsonl"))
    name = repr((wanted, [(str(path), path.read_bytes()) for path in files]))
    if name not in _PROJECTS:
        _PROJECTS[name] = read_project(CONFIG, wanted)
    project = _PROJECTS[name]
    return replace(project, prompted=dict(project.prompted), plan=dict(project.plan))


_PROJECTS: Dict[str, Project] = {}


@contextmanager
def session(*, annotators: Sequence[str] = ("ann", "bo"), **wanted: Any) -> Iterator[Session]:
    """A session on the project of the current folder, without a server."""
    project = _read(Wanted(tuple(annotators), **wanted))
    with Dataset(project.settings.dataset, synchronous="FULL") as dataset:
        yield open_session(project, dataset)


@dataclass
class Reply:
    """An HTTP response."""

    status: int
    headers: Dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Its body as JSON."""
        return json.loads(self.body)


@dataclass
class Client:
    """A browser with one cookie, or without."""

    url: str
    cookie: Optional[str] = None
    tab: str = field(default_factory=lambda: uuid.uuid4().hex)

    def ask(
        self,
        method: str,
        path: str,
        body: Optional[bytes] = None,
        headers: Optional[Dict[str, str]] = None,
    ) -> Reply:
        """Send a request exactly as given."""
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
        try:
            sent = dict(headers or {})
            if self.cookie is not None:
                sent.setdefault("Cookie", self.cookie)
            connection.request(method, path, body, sent)
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Reply(response.status, found, response.read())
        finally:
            connection.close()

    def get(self, path: str) -> Reply:
        """Read."""
        return self.ask("GET", path)

    def post(self, path: str, value: Any, **headers: str) -> Reply:
        """Write, as the page does."""
        sent = {
            "X-Hitl": "1",
            "Content-Type": "application/json",
            "Origin": self.url,
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        return self.ask("POST", path, json.dumps(value).encode(), sent)

    def next(self, count: int = 1, have: Sequence[str] = ()) -> Dict[str, Any]:
        """The next screens."""
        body = {"n": count, "have": list(have), "tab": self.tab}
        value: Dict[str, Any] = self.post("/api/next", body).json
        return value

    def answer(self, *answers: Dict[str, Any]) -> Dict[str, Any]:
        """Send answers."""
        value: Dict[str, Any] = self.post("/api/answers", {"answers": list(answers)}).json
        return value


def open_link(link: str) -> Client:
    """Follow the link of an annotator."""
    parts = urlsplit(link)
    client = Client(f"{parts.scheme}://{parts.netloc}")
    reply = client.get(f"/?token={parse_qs(parts.query)['token'][0]}")
    assert reply.status == 303, reply
    client.cookie = reply.headers["set-cookie"].partition(";")[0]
    return client


@dataclass
class Server:
    """A server in a thread of the test. error: what the session raised."""

    links: Dict[str, str]
    thread: threading.Thread
    errors: List[BaseException]

    def client(self, annotator: str = "ann") -> Client:
        """A browser of an annotator, signed in."""
        return open_link(self.links[annotator])

    @property
    def url(self) -> str:
        """Where it is."""
        parts = urlsplit(next(iter(self.links.values())))
        return f"{parts.scheme}://{parts.netloc}"


@contextmanager
def server(
    *, annotators: Sequence[str] = ("ann", "bo"), address: Optional[Address] = None, **wanted: Any
) -> Iterator[Server]:
    """Serve the project of the current folder; finished at the end."""
    started = threading.Event()
    links: Dict[str, str] = {}
    errors: List[BaseException] = []

    def on_start(found: List[Link]) -> None:
        links.update({link.annotator: link.url for link in found})
        started.set()

    def run() -> None:
        try:
            asked = Wanted(tuple(annotators), **wanted)
            review(CONFIG, asked, address=address, on_start=on_start)
        except BaseException as e:
            errors.append(e)
            started.set()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert started.wait(60)
    if errors:
        raise errors[0]
    running = Server(links, thread, errors)
    try:
        yield running
    finally:
        if thread.is_alive():
            running.client(annotators[0]).post("/api/finish", {})
            thread.join(20)
        assert not thread.is_alive()


def answer_to(screen: Dict[str, Any], **changes: Any) -> Dict[str, Any]:
    """Accept a screen as it is shown (blind: with what `text_of` should get)."""
    tasks = {}
    for name, task in screen["tasks"].items():
        shown = task["annotation"]
        tasks[name] = {
            "spans": [
                [s["start"], s["end"], s["id"] if "id" in s else s["label"]] for s in shown["spans"]
            ],
            "cats": [c["label"] for c in shown["cats"]],
            "relations": [[r["head"], r["tail"], r["label"]] for r in shown["relations"]],
        }
    if "mood" in tasks and not tasks["mood"]["cats"]:
        tasks["mood"]["cats"] = ["SAD"]
    return {
        "uid": uuid.uuid4().hex,
        "digest": screen["digest"],
        "action": "accept",
        "flagged": False,
        "note": None,
        "seconds": 1.5,
        "mode": screen["mode"],
        "edits": dict.fromkeys(tasks, 0),
        "tasks": tasks,
        **changes,
    }


def stored() -> List[Any]:
    """All decisions of the project in the current folder, oldest first."""
    _, settings = load_prompted(CONFIG)
    dataset = Dataset(settings.dataset)
    dataset.db.open(readonly=True)
    try:
        rows = dataset.db.rows("SELECT record FROM decisions ORDER BY id")
        return [json.loads(record) for (record,) in rows]
    finally:
        dataset.db.close()
