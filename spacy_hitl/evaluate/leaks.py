"""No gold text, and nothing nearly like one, may be in what a system learned from or was shown."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Set, Tuple

from spacy.language import Language
from spacy.util import load_config

from ..dataset.corpus import is_corpus
from ..errors import Errors, InputError
from ..io import read_jsonl, strings_in, text_digest
from ..pipeline.loading import CONFIG_ERRORS, prompted_components
from ..tasks.near_duplicates import NEAR, NearDuplicates, check_threshold, jaccard, shingles
from ..tasks.similarity import normalise

SHOWN = 3  # pairs that an error names
LENGTH = 60  # characters of a text that it shows
DIGITS = 8  # of a digest
READ = ("corpora", "initialize", "training")  # sections of a config that name what was learned from


@dataclass(frozen=True)
class Leak:
    """A gold text, and the other text that is nearly the same: its digest, where it is."""

    gold: str
    other: str
    where: str
    text: str

    def __str__(self) -> str:
        text = " ".join(self.text.split())
        shown = text if len(text) <= LENGTH else text[: LENGTH - 3] + "..."
        return (
            f"gold {self.gold[:DIGITS]} is like {self.other[:DIGITS]} in {self.where} ({shown!r})"
        )


class GoldTexts:
    """Gold texts, to find what is like one of them.

    texts (Iterable[str]): The texts.
    threshold (Optional[float]): Similarity (see `NearDuplicates`) from which on another text is
        nearly one of them; None for the same letters and digits only.
    RAISES (InputError): If the threshold can't be used.
    """

    def __init__(self, texts: Iterable[str], *, threshold: Optional[float] = NEAR) -> None:
        if threshold is not None:
            check_threshold(threshold)
        self.texts = list(dict.fromkeys(texts))
        self._same = {normalise(text): text for text in self.texts}
        self._near = None if threshold is None else NearDuplicates(self.texts, threshold=threshold)

    def __contains__(self, text: str) -> bool:
        if normalise(text) in self._same:
            return True
        return self._near is not None and text in self._near

    def match(self, text: str) -> str:
        """RETURNS (str): The gold text that is most like one that is in here."""
        same = self._same.get(normalise(text))
        if same is not None:
            return same
        mine = shingles(text)
        return max(self.texts, key=lambda gold: jaccard(shingles(gold), mine))


def find_leaks(gold: GoldTexts, others: Iterable[Tuple[str, str]]) -> Tuple[int, List[Leak]]:
    """Find texts that are like gold texts.

    gold (GoldTexts): The gold texts.
    others (Iterable[Tuple[str, str]]): Where a text is, and the text. One that comes again is not
        looked at again.
    RETURNS (Tuple[int, List[Leak]]): How many there are, and the first of them.
    """
    count = 0
    leaks: List[Leak] = []
    seen: Set[str] = set()
    for where, text in others:
        if text in seen:
            continue
        seen.add(text)
        if text in gold:
            count += 1
            if len(leaks) < SHOWN:
                match = gold.match(text)
                leaks.append(Leak(text_digest(match), text_digest(text), where, text))
    return count, leaks


def check_leaks(
    texts: Sequence[str],
    *,
    corpora: Mapping[str, Iterable[str]],
    pipelines: Sequence[Tuple[Sequence[Path], Language]],
    threshold: Optional[float] = NEAR,
) -> None:
    """Refuse to measure what has seen the gold texts.

    texts (Sequence[str]): The gold texts.
    corpora (Mapping[str, Iterable[str]]): Training texts that were read, by their file.
    pipelines (Sequence[Tuple[Sequence[Path], Language]]): Each system's folders (none for a config)
        and its pipeline. Of a folder, the exported corpora that its config names are read, if they
        are still there; of a pipeline, the examples that its prompted components show.
    threshold (Optional[float]): As in `GoldTexts`.
    RAISES (InputError): If a training text or an example is a gold text or nearly one.
    """
    gold = GoldTexts(texts, threshold=threshold)
    named = [p for folders, _ in pipelines for folder in folders for p in named_corpora(folder)]
    known = {Path(name).resolve() for name in corpora}
    files = [p for p in _distinct(named) if p.resolve() not in known]
    count, leaks = find_leaks(gold, _training_texts(corpora, files))
    if count:
        raise InputError(Errors.H422.format(count=count, pairs=_list(count, leaks)))
    shown = [p for _, nlp in pipelines for p in example_files(nlp)]
    count, leaks = find_leaks(gold, _file_texts(_distinct(shown), what="examples"))
    if count:
        raise InputError(Errors.H423.format(count=count, pairs=_list(count, leaks)))


def named_corpora(folder: Path) -> List[Path]:
    """Find the exported corpora that a trained pipeline learned from.

    folder (Path): Its folder; paths in its config are relative to the current folder.
    RETURNS (List[Path]): Those that are still there.
    """
    try:
        config = load_config(folder / "config.cfg", interpolate=True)
    except CONFIG_ERRORS:  # that it can't be trained again is no reason not to measure it
        return []
    values = {v for name in READ for v in strings_in(config.get(name, {})) if v.endswith(".jsonl")}
    return [path for path in map(Path, sorted(values)) if is_corpus(path)]


def example_files(nlp: Language) -> List[Path]:
    """RETURNS (List[Path]): Files of the few-shot examples that its prompted components show."""
    prompted = prompted_components(nlp).values()
    tasks: List[Any] = [asked.task for component in prompted for asked in component.tasks.values()]
    paths = [getattr(task, "examples_path", None) for task in tasks]
    return [path for path in paths if isinstance(path, Path)]


def _training_texts(
    corpora: Mapping[str, Iterable[str]], files: Iterable[Path]
) -> Iterator[Tuple[str, str]]:
    for name, texts in corpora.items():
        yield from ((name, text) for text in texts)
    yield from _file_texts(files, what="corpus")


def _file_texts(files: Iterable[Path], *, what: str) -> Iterator[Tuple[str, str]]:
    for path in files:
        for where, record in read_jsonl(path, what=what):
            text = record.get("text")
            if isinstance(text, str):
                yield where, text


def _distinct(paths: Iterable[Path]) -> List[Path]:
    found: Dict[Path, Path] = {}
    for path in paths:
        found.setdefault(path.resolve(), path)
    return list(found.values())


def _list(count: int, leaks: Sequence[Leak]) -> str:
    more = f"; and {count - len(leaks):,} more" if count > len(leaks) else ""
    return "; ".join(map(str, leaks)) + more
