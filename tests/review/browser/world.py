"""Projects that the browser tests review: texts, what a model says of them, and a server."""

import contextlib
import re
import shutil
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

import forked
import spacy
import srsly

from spacy_hitl.dataset.store import Dataset
from spacy_hitl.io import text_digest
from spacy_hitl.pipeline.loading import load_prompted, prompted_tasks
from spacy_hitl.records import (
    NIL,
    Annotation,
    CategoryAnnotation,
    Decision,
    Problem,
    Proposal,
    RelationAnnotation,
    Row,
    SpanAnnotation,
)
from spacy_hitl.settings import LaneSettings

CONFIG = Path("review.cfg")
REPLAY = {"@llm_models": "spacy-hitl.Replay.v1", "path": "none.jsonl", "texts": "none.jsonl"}
TASKS: Dict[str, Dict[str, Any]] = {
    "product": {
        "@llm_tasks": "spacy-hitl.NER.v1",
        "labels": ["PHONE", "MAKER"],
        "label_definitions": {
            "PHONE": "a model of a phone, without articles and colours",
            "MAKER": "who makes or sells it",
        },
        "guidelines_path": "guidelines.md",
    },
    "link": {"@llm_tasks": "spacy-hitl.Linking.v1", "catalog": "catalog.jsonl"},
    "made": {
        "@llm_tasks": "spacy-hitl.Relations.v1",
        "labels": ["MADE_BY", "BETTER_THAN"],
        "allowed": {"MADE_BY": [["PHONE", "MAKER"]], "BETTER_THAN": [["PHONE", "PHONE"]]},
    },
    "opinions": {
        "@llm_tasks": "spacy-hitl.SpanCat.v1",
        "labels": ["PRAISE", "COMPLAINT"],
        "spans_key": "opinions",
    },
    "topics": {
        "@llm_tasks": "spacy-hitl.TextCat.v1",
        "labels": ["CAMERA", "BATTERY", "PRICE"],
        "label_definitions": {"CAMERA": "photos, video, zoom", "BATTERY": "charge and drain"},
    },
    "mood": {
        "@llm_tasks": "spacy-hitl.TextCat.v1",
        "labels": ["HAPPY", "SAD"],
        "exclusive_classes": True,
    },
}
CATALOG = [
    {"id": "P1", "name": "SpacePhone Nebula", "aliases": ["Nebula"], "line": "Nebula"},
    {"id": "P2", "name": "SpacePhone Nebula Pro", "aliases": ["Nebula Pro", "Pro"]},
    {"id": "P3", "name": "Kestrel K10", "aliases": ["K10"], "line": "Kestrel"},
    {"id": "P4", "name": "Lumen L5", "aliases": ["L5"]},
]
GUIDELINES = """A mention of a specific phone, in or out of the catalog.
Yes: "Nebula Pro", "my K10". No: "this phone", "it".
Without articles, colours and storage sizes.
"""

Span = Tuple[Any, ...]  # words, label, and perhaps a score


@dataclass
class Text:
    """A text and what the model says of it; places are named by their words.

    spans: of `product` and `opinions`: (words, label) or (words, label, score). links: id by words.
    relations: (head words, tail words, label). cats: of `topics` and `mood`.
    other: spans of `product` that another source sees too.
    """

    text: str
    lane: str = "train"
    spans: Dict[str, List[Span]] = field(default_factory=dict)
    links: Dict[str, str] = field(default_factory=dict)
    relations: List[Tuple[str, str, str]] = field(default_factory=list)
    cats: Dict[str, List[str]] = field(default_factory=dict)
    status: str = "ok"
    problems: List[Tuple[str, str]] = field(default_factory=list)
    other: List[Span] = field(default_factory=list)

    def place(self, words: str) -> Tuple[int, int]:
        """Where the words stand."""
        start = self.text.index(words)
        return start, start + len(words)

    def annotation(self, task: str) -> Annotation:
        """What the model says for a task."""
        if task == "link":
            return Annotation(
                spans=tuple(
                    sorted(
                        SpanAnnotation(*self.place(w), "PHONE", i) for w, i in self.links.items()
                    )
                )
            )
        if task == "made":
            return Annotation(
                relations=tuple(
                    RelationAnnotation(*self.place(h), *self.place(t), label)
                    for h, t, label in self.relations
                )
            )
        spans = sorted(self._span(*s) for s in self.spans.get(task, ()))
        cats = tuple(CategoryAnnotation(label) for label in self.cats.get(task, ()))
        return Annotation(spans=tuple(spans), cats=cats)

    def _span(self, words: str, label: str, score: Optional[float] = None) -> SpanAnnotation:
        source = None if score is None else "votes"
        return SpanAnnotation(*self.place(words), label, None, score, source)


PLAIN = Text(
    "The Nebula Pro from Orion takes great photos, but the battery is dead by four.",
    spans={
        "product": [("Nebula Pro", "PHONE", 0.62), ("Orion", "MAKER", 0.94)],
        "opinions": [
            ("takes great photos", "PRAISE"),
            ("great photos, but the battery", "PRAISE", 0.4),
            ("the battery is dead by four", "COMPLAINT"),
        ],
    },
    links={"Nebula Pro": "P2", "Orion": NIL},
    relations=[("Nebula Pro", "Orion", "MADE_BY")],
    cats={"topics": ["CAMERA"], "mood": ["SAD"]},
)


def write_project(
    texts: Sequence[Text],
    *,
    tasks: Sequence[str] = ("product",),
    settings: Optional[Dict[str, Any]] = None,
    path: Path = CONFIG,
    changes: Optional[Dict[str, Dict[str, Any]]] = None,
) -> None:
    """Make a project in the current folder, or add a second version of its tasks.

    tasks (Sequence[str]): Names of `TASKS`. settings: [hitl.review]. changes: of tasks, by name.
    """
    if path != CONFIG:
        _make_project(texts, tasks, settings, path, changes)
        return
    name = repr((texts, tasks, settings, changes))
    if name not in _MADE:
        _MADE[name] = tempfile.TemporaryDirectory()
        with contextlib.chdir(_MADE[name].name):
            _make_project(texts, tasks, settings, path, changes)
    shutil.copytree(_MADE[name].name, ".", dirs_exist_ok=True)


_MADE: Dict[str, "tempfile.TemporaryDirectory[str]"] = {}


def _make_project(
    texts: Sequence[Text],
    tasks: Sequence[str],
    settings: Optional[Dict[str, Any]],
    path: Path,
    changes: Optional[Dict[str, Dict[str, Any]]],
) -> None:
    srsly.write_jsonl("catalog.jsonl", CATALOG)
    Path("guidelines.md").write_text(GUIDELINES)
    nlp = spacy.blank("en")
    for name in tasks:
        task = {**TASKS[name], **(changes or {}).get(name, {})}
        nlp.add_pipe("hitl_llm", name=name, config={"task": task, "model": REPLAY})
    config = nlp.config.copy()
    config["hitl"] = {"review": settings} if settings else {}
    config.to_disk(path)
    nlp, read = load_prompted(path)
    rows = [Row("posts", f"p{i}", t.text, lane=t.lane) for i, t in enumerate(texts)]
    with Dataset(read.dataset) as dataset:
        dataset.add_rows(rows, LaneSettings())
        for name, prompted in prompted_tasks(nlp).items():
            source, sample, digest = prompted.key
            made = [propose(t, name, source, sample, digest) for t in texts]
            if name == "product":
                seen = [t for t in texts if t.other]
                made += [
                    propose(
                        Text(t.text, spans={"product": t.other}), name, "student", sample, digest
                    )
                    for t in seen
                ]
            dataset.add_proposals(made)


def propose(text: Text, task: str, source: str, sample: int, digest: str) -> Proposal:
    """What a source says of a text for a task."""
    return Proposal(
        text_digest=text_digest(text.text),
        task=task,
        source=source,
        status=text.status,
        task_digest=digest,
        annotation=text.annotation(task),
        problems=tuple(Problem(*p) for p in text.problems),
        sample=sample,
    )


def decide(who: str, text: Text, tasks: Sequence[str]) -> None:
    """Store what somebody accepted."""
    nlp, settings = load_prompted(CONFIG)
    with Dataset(settings.dataset) as dataset:
        dataset.add_decisions(
            Decision(
                text_digest=text_digest(text.text),
                task=name,
                action="accept",
                annotator=who,
                origin="person",
                task_digest=prompted_tasks(nlp)[name].key[2],
                annotation=text.annotation(name),
                uid=f"uid-{who}",
                time=1.0,
            )
            for name in tasks
        )


def decisions() -> List[Dict[str, Any]]:
    """All decisions of the project in the current folder, oldest first."""
    _, settings = load_prompted(CONFIG)
    dataset = Dataset(settings.dataset)
    dataset.db.open(readonly=True)
    try:
        rows = dataset.db.rows("SELECT record FROM decisions ORDER BY id")
        return [srsly.json_loads(record) for (record,) in rows]
    finally:
        dataset.db.close()


@dataclass
class Program:
    """`spacy hitl review` in a process of its own."""

    options: Sequence[str]
    process: Any = None
    links: Dict[str, str] = field(default_factory=dict)

    def start(self) -> "Program":
        """Start it, and read the links that it prints."""
        names = ["ann", "bo"]
        who = [part for name in names for part in ("--annotator", name)]
        env, log = {"COLUMNS": "400", "NO_COLOR": "1"}, Path("review.log")
        words = ["review", CONFIG, "--no-browser", *who, *self.options]
        self.process = forked.start(*words, log=log, env=env)
        found: List[str] = []
        deadline = time.monotonic() + 60
        while len(found) < len(names):
            assert self.process.is_alive() and time.monotonic() < deadline, log.read_text()
            time.sleep(0.01)
            found = re.findall(r"https?://\S+token=[\w-]+(?=\s)", log.read_text())
        self.links = dict(zip(names, found, strict=True))
        return self

    def kill(self) -> None:
        """End it as a power cut does."""
        self.process.kill()
        self.process.join(60)

    def wait(self) -> int:
        """RETURNS (int): Its exit code, once it has ended."""
        self.process.join(30)
        code = self.process.exitcode
        assert code is not None, "it did not end"
        return int(code)
