"""`spacy-hitl.count_vectors.v1`: word vectors of a project's own texts, from counts alone.

Words are counted beside their neighbours; positive pointwise mutual information, smoothed, and a
truncated singular value decomposition make vectors of the counts (Levy, Goldberg and Dagan,
"Improving Distributional Similarity with Lessons Learned from Word Embeddings", TACL 2015). What is
rare gets no vector, and that says as much to a student of names as a vector does.
"""

from collections import Counter
from typing import Any, Callable, Dict, Iterable, List, Mapping, Optional, Sequence, Set, Tuple

import numpy as np
from numpy.typing import NDArray
from spacy.language import Language
from spacy.strings import get_string_id
from spacy.training import Example
from spacy.util import logger
from spacy.vectors import Vectors  # type: ignore[import-not-found]

from ...errors import Errors, InputError

Floats = NDArray[np.float32]
Reader = Callable[[Language], Iterable[Example]]
CONTEXTS = 1500  # the most frequent words are what others are counted beside
WINDOW = 2  # words on each side
SMOOTHING = 0.75  # power of the contexts' counts
SCALE = 2.0  # length of a vector: about that of an embedding's row


def make_count_vectors_callback(
    corpus: Reader,
    texts: Optional[Reader] = None,
    width: int = 40,
    min_count: int = 3,
    max_words: int = 5000,
) -> Callable[[Language], None]:
    """Make the counting for `[initialize.before_init]`, ahead of `include_static_vectors = true`.

    corpus (Reader): The training texts: ${corpora.train}. Their annotations are not looked at.
    texts (Optional[Reader]): More texts of the same language, such as spacy-hitl.RawTexts.v1.
    width (int): Of the vectors.
    min_count (int): Rarer words get no vector.
    max_words (int): Only so many words, the most frequent ones, get a vector. The table takes
        width * max_words * 4 bytes.
    RETURNS (Callable[[Language], None]): The callback: sets the vectors of the vocabulary, one for
        all forms of a word that have the same NORM.
    """

    def count(nlp: Language) -> None:
        lines: List[List[str]] = []
        forms: Dict[str, Set[str]] = {}
        for reader in (corpus, texts):
            for eg in reader(nlp) if reader is not None else ():
                tokens = [token for token in eg.reference if not token.is_space]
                lines.append([token.norm_ for token in tokens])
                for token in tokens:
                    forms.setdefault(token.norm_, set()).add(token.text)
        words, table = count_vectors(lines, width=width, least=min_count, most=max_words)
        if len(words) < width:
            raise InputError(
                Errors.H383.format(words=len(words), texts=len(lines), least=min_count, width=width)
            )
        logger.info("Vectors of %d words, from %d texts", len(words), len(lines))
        nlp.vocab.vectors = make_table(words, table, forms)

    return count


def make_table(words: Sequence[str], table: Floats, forms: Mapping[str, Iterable[str]]) -> Vectors:
    """Make spaCy's table of vectors.

    words (Sequence[str]): As many as there are rows.
    table (Floats): Shape (words, width).
    forms (Mapping[str, Iterable[str]]): How each word was written. Its row is found by these, and
        by lower case, upper case and a capital: spaCy 3.8 saves no other key than ORTH.
    RETURNS (Vectors): Several keys share a row.
    """
    vectors: Any = Vectors(shape=table.shape)
    vectors.data = table
    keys: Dict[str, int] = {}
    for row, word in enumerate(words):  # by falling frequency: the first one keeps a shared form
        for form in (*sorted(forms.get(word, ())), word, word.upper(), word.capitalize()):
            keys.setdefault(form, row)
    for form, row in keys.items():
        vectors.add(get_string_id(form), row=row)
    found: Vectors = vectors
    return found


def count_vectors(
    lines: Sequence[Sequence[str]], *, width: int, least: int, most: int
) -> Tuple[List[str], Floats]:
    """Make vectors of words from the words beside them.

    lines (Sequence[Sequence[str]]): The words of each text.
    width (int): Of the vectors.
    least (int): How often a word has to come.
    most (int): Number of words at most.
    RETURNS (Tuple[List[str], Floats]): Words, by falling frequency, and the table, shape
        (words, width).
    """
    counts = Counter(word for line in lines for word in line)
    ranked = sorted(counts, key=lambda word: (-counts[word], word))[:most]
    words = [word for word in ranked if counts[word] >= least]
    table = _informative(_neighbours(lines, {word: i for i, word in enumerate(words)}))
    left, values = _decompose(table, width)
    vectors = left * np.sqrt(values)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return words, np.ascontiguousarray(SCALE * vectors / np.maximum(lengths, 1e-6), dtype="f")


def _neighbours(lines: Sequence[Sequence[str]], rows: Dict[str, int]) -> Floats:
    """RETURNS (Floats): Shape (words, contexts before and after), weighted by nearness."""
    contexts = min(CONTEXTS, len(rows))
    table = np.zeros((len(rows), 2 * contexts), dtype="f")
    for line in lines:
        ids = np.array([rows.get(word, -1) for word in line], dtype=np.int64)
        for distance in range(1, WINDOW + 1):
            before, after = ids[:-distance], ids[distance:]
            known = (before >= 0) & (after >= 0)
            for words, others, offset in ((before, after, contexts), (after, before, 0)):
                kept = known & (others < contexts)
                np.add.at(table, (words[kept], offset + others[kept]), 1 / distance)
    return table


def _informative(table: Floats) -> Floats:
    """RETURNS (Floats): Positive pointwise mutual information of words and contexts."""
    total = table.sum(axis=1, keepdims=True)
    share = table.sum(axis=0, keepdims=True) ** SMOOTHING
    expected = total * share / max(float(share.sum()), 1e-6)
    ratio = np.divide(table, expected, out=np.ones_like(table), where=(table > 0) & (expected > 0))
    found: Floats = np.maximum(np.log(ratio), 0)
    return found


def _decompose(table: Floats, width: int) -> Tuple[Floats, Floats]:
    """Find the largest singular values and their left vectors, by random projection.

    Halko, Martinsson and Tropp, "Finding Structure with Randomness" (SIAM Review 2011).
    """
    noise = np.random.default_rng(0).normal(size=(table.shape[1], width + 20)).astype("f")
    basis = table @ noise
    for _ in range(3):
        basis, _upper = np.linalg.qr(table @ (table.T @ basis))
    left, values, _right = np.linalg.svd(basis.T @ table, full_matrices=False)
    return (basis @ left)[:, :width], values[:width]
