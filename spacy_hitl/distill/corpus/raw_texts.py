"""`spacy-hitl.RawTexts.v1`: the project's own texts without labels, to learn words from."""

from pathlib import Path
from typing import Callable, Dict, Iterable, Iterator, List, Sequence

from spacy.language import Language
from spacy.training import Example

from ...errors import Errors, InputError
from ...io import read_jsonl
from ...records import GOLD


def read_texts(paths: Sequence[Path]) -> Iterator[str]:
    """Read texts from exported corpora and from other files, one after the other.

    paths (Sequence[Path]): JSONL: a corpus written by `spacy hitl export`, or rows with `text`.
    YIELDS (str): Each text once. Rows of lane gold are passed over, in a file of texts; a corpus
        for training has none.
    RAISES (InputError): If a file is missing, a row has no text, an exported corpus holds gold, or
        there is no text at all.
    """
    seen: Dict[str, None] = {}
    for path in paths:
        is_corpus = False
        for where, row in read_jsonl(Path(path), what="file of texts"):
            if "task_digest" in row and "text" not in row:
                is_corpus = True
                continue
            text = row.get("text")
            if not isinstance(text, str):
                problem = "field 'text' is missing or not a string"
                raise InputError(Errors.H004.format(where=where, problem=problem))
            if row.get("lane") == GOLD:
                if is_corpus:
                    raise InputError(Errors.H301.format(path=path, where=where))
                continue
            if text.strip() and text not in seen:
                seen[text] = None
                yield text
    if not seen:
        found = ", ".join(str(path) for path in paths) or "no file"
        raise InputError(Errors.H362.format(paths=found))


def make_raw_texts(paths: List[Path], limit: int = 0) -> Callable[[Language], Iterable[Example]]:
    """Make a reader for `[corpora.pretrain]` of `spacy pretrain`.

    paths (List[Path]): Exported corpora and other JSONL files with `text`.
    limit (int): Read no more texts than that; 0 for all.
    RETURNS (Callable[[Language], Iterable[Example]]): The reader. Files are read when called.
    """

    def read(nlp: Language) -> Iterator[Example]:
        for count, text in enumerate(read_texts(paths)):
            if limit and count == limit:
                return
            doc = nlp.make_doc(text)
            yield Example(doc, doc)

    return read
