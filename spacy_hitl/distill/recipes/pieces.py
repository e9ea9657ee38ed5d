"""`spacy-hitl.BytePieces.v1`: the tokenizer of a RoBERTa, for a curated transformer."""

import json
from typing import Any, Callable, Optional

from ..._compat import require

EXTRA = "transformer-students"


class BytePieces:
    """Reads the tokenizer when the model is initialised.

    spacy-curated-transformers has a loader of its own, which can't read what current tokenizers
    say about merges. An object rather than a closure, since it stays with the model.
    """

    def __init__(self, name: str, revision: str) -> None:
        self.name = name
        self.revision = revision

    def __call__(self, model: Any, X: Optional[Any] = None, Y: Optional[Any] = None) -> Any:
        """Give a ByteBpeEncoder its vocabulary."""
        from curated_tokenizers import ByteBPEProcessor
        from transformers import AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(self.name, revision=self.revision)
        pieces = json.loads(tokenizer.backend_tokenizer.to_str())["model"]
        merges = [tuple(m.split(" ") if isinstance(m, str) else m) for m in pieces["merges"]]
        model.attrs["byte_bpe_processor"] = ByteBPEProcessor(pieces["vocab"], merges)
        model.attrs["bos_piece"] = tokenizer.bos_token
        model.attrs["eos_piece"] = tokenizer.eos_token
        model.attrs["unk_piece"] = tokenizer.unk_token
        return model


def make_byte_pieces(name: str, revision: str = "main") -> Callable[..., Any]:
    """Make a loader for `[initialize.components.transformer.piecer_loader]`.

    name (str): Folder with a pretrained RoBERTa, or its name on the hub.
    revision (str): Branch, tag or commit on the hub.
    RETURNS (Callable[..., Any]): The loader. Files are read when it is called.
    RAISES (InputError): If the packages of the extra `transformer-students` are missing.
    """
    for package in ("curated_tokenizers", "transformers"):
        require(package, extra=EXTRA)
    return BytePieces(name, revision)
