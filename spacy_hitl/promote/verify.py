"""Check a lineage against what is still there: every link is as it was, changed, or gone."""

import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Callable, Dict, Iterator, List, Optional, Sequence, Tuple

from ..about import __version__
from ..dataset.corpus import read_training_corpus
from ..dataset.digests import answers_of, decisions_digest, decisions_of, plain_name
from ..io import file_digest, folder_digest, json_digest
from ..pipeline.loading import load_prompted, prompted_tasks
from ..records import CorpusDigest, Learned, Lineage, PromptDigest, StudentLineage, TaskRow
from .lineage import (
    config_digest,
    describe_prompt,
    package_versions,
    parts_of,
    read_lineage,
)
from .stored import missing_answers, stored_rows
from .switch import name_of

OK, CHANGED, GONE = "ok", "changed", "gone"


@dataclass(frozen=True)
class Link:
    """One link of a lineage, checked.

    task: empty for what concerns the whole pipeline. what: which link. state: "ok", "changed", or
    "gone": not there to be compared. detail: what was found, if it says more.
    """

    task: str
    what: str
    state: str
    detail: str = ""


def verify(
    path: Path, *, config: Optional[Path] = None, code: Optional[Path] = None
) -> Tuple[Link, ...]:
    """Check where a pipeline comes from, link by link.

    path (Path): Folder of a promoted pipeline, or of a student.
    config (Optional[Path]): Config of the prompted pipeline: its project is looked at. Without it
        only the pipeline itself is.
    code (Optional[Path]): The user's own code, if some was imported at promotion.
    RETURNS (Tuple[Link, ...]): All links, the pipeline's own first.
    RAISES (InputError): If there is no lineage, or the config can't be used.
    """
    lineage = read_lineage(path)
    links = list(_pipeline_links(path, lineage))
    if lineage.code is not None:
        links.append(_compare("", "code", lineage.code, code, file_digest))
    if config is not None:
        links += _Project(config).links(lineage)
    return tuple(links)


def _pipeline_links(path: Path, lineage: Lineage) -> Iterator[Link]:
    folder = path.resolve()
    if lineage.parts:
        found, expected = parts_of(folder), dict(lineage.parts)
        differ = sorted(n for n in expected if found.get(n) != expected[n])
        differ += sorted(set(found) - set(expected))
        yield Link("", "files", CHANGED if differ else OK, ", ".join(differ))
        if _is_version(folder):
            same = name_of(folder) == folder.name
            yield Link("", f"version {folder.name}", OK if same else CHANGED)
    now = {"spacy_hitl": __version__, **dict(package_versions())}
    for name, version in _versions(lineage):
        same = now.get(name) == version
        detail = version if same else f"it was {version}, here is {now.get(name)}"
        yield Link("", name, OK if same else CHANGED, detail)


def _versions(lineage: Lineage) -> Tuple[Tuple[str, str], ...]:
    if lineage.learned is not None:
        return lineage.learned.versions
    return (("spacy_hitl", lineage.spacy_hitl), *lineage.versions)


def _is_version(folder: Path) -> bool:
    """Whether a folder has the name that promote gives, a digest."""
    return len(folder.name) == 16 and set(folder.name) <= set("0123456789abcdef")


def _compare(
    task: str,
    what: str,
    expected: Optional[str],
    path: Optional[Path],
    digest: Callable[[Path], str],
) -> Link:
    if expected is None or path is None or not _is_plain(path):
        return Link(task, what, GONE, "was not recorded" if expected is None else "")
    return Link(task, what, OK if digest(path) == expected else CHANGED)


def _is_plain(path: Path) -> bool:
    """Whether a file or folder is there; not a device, which never ends."""
    try:
        return path.is_file() or path.is_dir()
    except OSError:  # a name that is too long
        return False


def _digest(path: Path) -> str:
    return folder_digest(path) if path.is_dir() else file_digest(path)


class _Project:
    """What a project holds now, to be compared with a lineage."""

    def __init__(self, config: Path) -> None:
        self.config = config
        self.nlp, self.settings = load_prompted(config)
        self.tasks = prompted_tasks(self.nlp)
        self._rows: Dict[str, List[TaskRow]] = {}

    def links(self, lineage: Lineage) -> List[Link]:
        if lineage.learned is not None:
            return list(self._learned("", lineage.learned))
        links = []
        if lineage.config is not None:
            same = config_digest(self.nlp) == lineage.config
            links.append(Link("", "config", OK if same else CHANGED))
        for task, student in lineage.students.items():
            links += self._student(task, student)
        return links

    def _student(self, task: str, s: StudentLineage) -> Iterator[Link]:
        trained = self.settings.training / task / "model-best"
        yield _compare(task, "student", s.student_digest, trained, folder_digest)
        for name, digest in s.needs:
            other = self.settings.training / name / "model-best"
            yield _compare(task, f"student of {name}", digest, other, folder_digest)
        metrics = self.settings.metrics / f"{task}.json"
        yield _compare(task, "figures", s.metrics_digest, metrics, file_digest)
        gold = self.settings.corpus / "gold" / f"{task}.jsonl"
        yield _compare(task, "gold", s.gold_digest, gold, file_digest)
        yield from self._prompt(task, s.prompt)
        if s.learned is None:
            yield Link(task, "corpus", GONE, "was not recorded")
        else:
            yield from self._learned(task, s.learned)

    def _prompt(self, task: str, prompt: Optional[PromptDigest]) -> Iterator[Link]:
        if prompt is None or task not in self.tasks:
            yield Link(task, "prompt", GONE, "" if prompt else "was not recorded")
            return
        now = describe_prompt(self.nlp, self.tasks[task])
        names = ("model", "template", "guidelines", "examples", "instructions", "task_digest")
        differ = [name for name in names if getattr(now, name) != getattr(prompt, name)]
        told = ", ".join("task" if name == "task_digest" else name for name in differ)
        yield Link(task, "prompt", CHANGED if differ else OK, told)

    def _learned(self, task: str, learned: Learned) -> Iterator[Link]:
        for corpus in learned.corpora:
            yield from self._corpus(task, corpus)
        for name, digest in learned.files:
            # An honest lineage names nothing outside: a hostile one could name a whole disk.
            path = Path(plain_name(os.path.normpath(name)))
            yield _compare(task, name, digest, path, _digest)
        for name, digest in learned.bases:
            yield self._base(task, name, digest)

    def _base(self, task: str, name: str, digest: str) -> Link:
        """A base stands in a trained pipeline of its own, beside those of the students."""
        found = [
            file_digest(path)
            for path in self.settings.training.glob(f"*/model-*/{name}/model")
            if path.relative_to(self.settings.training).parts[0] not in self.tasks
        ]
        if not found:
            return Link(task, f"base {name}", GONE)
        return Link(task, f"base {name}", OK if digest in found else CHANGED)

    def _corpus(self, task: str, corpus: CorpusDigest) -> Iterator[Link]:
        path = Path(plain_name(os.path.normpath(corpus.name)))
        if not _is_plain(path):  # what an absolute path led to has only its name here
            path = self.settings.corpus / f"{corpus.task}.jsonl"
        link = _compare(task, corpus.name, corpus.digest, path, file_digest)
        yield link
        rows: Optional[List[TaskRow]] = None
        if link.state == OK:
            rows = read_training_corpus(path, corpus.task)[1]
        now = self._stored(corpus.task)
        decisions = check_decisions(corpus.decisions_digest, rows, now)
        yield Link(task, f"decisions in {corpus.name}", *decisions)
        if corpus.answers:
            missing = partial(missing_answers, self.settings.responses)
            found = check_answers(corpus.answers_digest, rows, now, missing)
            yield Link(task, f"answers in {corpus.name}", *found)

    def _stored(self, task: str) -> Optional[List[TaskRow]]:
        """The rows that an export would write now; None if there is no dataset or no such task."""
        if task not in self.tasks or not self.settings.dataset.is_file():
            return None
        if not self._rows:
            self._rows = stored_rows(self.config, self.settings, self.tasks)
        return self._rows[task]


def check_decisions(
    recorded: str, then: Optional[Sequence[TaskRow]], now: Optional[Sequence[TaskRow]]
) -> Tuple[str, str]:
    """Compare what a student learned from with what is decided now.

    recorded (str): Digest of the decisions it learned from.
    then (Optional[Sequence[TaskRow]]): Rows of its corpus; None if that is not there as it was.
    now (Optional[Sequence[TaskRow]]): Rows of the dataset; None if there is no dataset.
    RETURNS (Tuple[str, str]): State and detail. Decisions may be added: those from then must hold.
    """
    if now is None:
        return GONE, ""
    standing = decisions_of(now)
    if decisions_digest(now) == recorded:
        return OK, ""
    if then is None:
        return CHANGED, "which ones can't be told: the corpus is not there as it was"
    decided = decisions_of(then)
    other = sum(standing.get(text) != what for text, what in decided.items())
    if other:
        return CHANGED, f"{other:,} of {len(decided):,} are not what they were"
    return OK, f"{len(standing) - len(decided):,} were added since"


def check_answers(
    recorded: str,
    then: Optional[Sequence[TaskRow]],
    now: Optional[Sequence[TaskRow]],
    missing: Callable[[Sequence[str]], Optional[int]],
) -> Tuple[str, str]:
    """Look for the answers behind what a student learned from.

    recorded (str): Digest of their keys.
    then, now (Optional[Sequence[TaskRow]]): As in `check_decisions`.
    missing (Callable[[Sequence[str]], Optional[int]]): How many of some keys are not stored; None
        if there is no store.
    RETURNS (Tuple[str, str]): State and detail. Answers are only ever added, never changed.
    """
    known = (answers_of(rows) for rows in (then, now) if rows is not None)
    keys = next((found for found in known if json_digest(found) == recorded), None)
    if keys is None:
        return GONE, "which ones can't be told: the corpus is not there as it was"
    count = missing(keys)
    if count is None:
        return GONE, ""
    return (GONE, f"{count:,} of {len(keys):,} are not stored") if count else (OK, "")
