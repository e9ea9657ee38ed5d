"""Word vectors from the project's own texts, by floret: nothing is downloaded."""

import tempfile
from pathlib import Path
from typing import Any, Iterable, List, Sequence

import spacy
from spacy.language import Language
from spacy.training.initialize import convert_vectors

from ..._compat import require
from ...errors import Errors, InputError
from ..corpus.raw_texts import read_texts

HASHES = 2  # rows that are added up for a piece of a word


def make_vectors(
    paths: Sequence[Path],
    output: Path,
    *,
    lang: str = "en",
    width: int = 64,
    rows: int = 5000,
    epochs: int = 10,
    min_count: int = 2,
) -> Language:
    """Learn vectors and write a folder for `[initialize] vectors`.

    paths (Sequence[Path]): Exported corpora and other JSONL files with `text`; never gold.
    output (Path): Folder of a pipeline that holds nothing but vectors.
    lang (str): Code of the language, for the tokenizer.
    width (int): Of the vectors.
    rows (int): Of the table. It takes width * rows * 4 bytes.
    epochs (int): Passes over the texts.
    min_count (int): Rarer words are not learned from.
    RETURNS (Language): What was written. The same texts always give the same vectors.
    RAISES (InputError): If floret is not installed, or there are no texts or too few.
    """
    require("floret", extra="vectors")
    nlp = spacy.blank(lang)
    named = ", ".join(str(path) for path in paths)
    with tempfile.TemporaryDirectory() as name:
        text_path, vectors_path = Path(name) / "texts.txt", Path(name) / "vectors.floret"
        with text_path.open("w", encoding="utf8") as file_:
            file_.writelines(f"{line}\n" for line in _lines(nlp, read_texts(paths)))
        try:
            _train(text_path, vectors_path, width, rows, epochs, min_count)
        except ValueError as e:  # no word is as frequent as min_count
            raise InputError(Errors.H363.format(paths=named)) from e
        convert_vectors(nlp, vectors_path, truncate=0, prune=-1, mode="floret", attr="NORM")
    if not nlp.vocab.vectors.data.any():
        raise InputError(Errors.H363.format(paths=named))
    output.parent.mkdir(parents=True, exist_ok=True)
    nlp.to_disk(output)
    return nlp


def _lines(nlp: Language, texts: Iterable[str]) -> Iterable[str]:
    """YIELDS (str): The words of a text in the form in which the vectors are looked up."""
    for doc in map(nlp.make_doc, texts):
        words: List[str] = ["".join(token.norm_.split()) for token in doc]
        yield " ".join(word for word in words if word)


def _train(source: Path, target: Path, width: int, rows: int, epochs: int, least: int) -> None:
    import floret

    model: Any = floret.train_unsupervised(
        str(source),
        model="skipgram",
        mode="floret",
        hashCount=HASHES,
        bucket=rows,
        dim=width,
        minn=3,
        maxn=5,
        minCount=least,
        t=1e-3,  # fewer frequent words are passed over than by default: the texts are few
        epoch=epochs,
        thread=1,  # several would write over each other's results: never the same twice
        verbose=0,
    )
    model.save_floret_vectors(str(target))
