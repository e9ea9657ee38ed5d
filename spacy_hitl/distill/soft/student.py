"""The component that learns, with the encoder in front of it if it listens to one."""

from typing import Any, List, Sequence, cast

from spacy.language import Language
from spacy.pipeline.tok2vec import Tok2Vec, Tok2VecListener
from spacy.tokens import Doc
from thinc.api import Optimizer, set_dropout_rate


class Student:
    """Runs and finishes updates of one component. Components beside it never change.

    nlp (Language): An initialised pipeline.
    name (str): The component.
    """

    def __init__(self, nlp: Language, name: str) -> None:
        self.nlp = nlp
        self.name = name
        self.pipe = cast(Any, nlp.get_pipe(name))
        self.factory = nlp.get_pipe_meta(name).factory
        frozen = nlp.config.get("training", {}).get("frozen_components") or ()
        # spaCy disables frozen components while it initialises.
        self._frozen = {*frozen, *nlp.disabled}
        self._listeners = [n for n in self.pipe.model.walk() if isinstance(n, Tok2VecListener)]
        self._encoders = [self._upstream(listener) for listener in self._listeners]

    def _upstream(self, listener: Tok2VecListener) -> Any:
        names = self.nlp.component_names
        names = names[: names.index(self.name)]
        wanted = listener.upstream_name
        found: List[Any] = [self.nlp.get_pipe(n) for n in names if wanted in ("*", n)]
        return [pipe for pipe in found if isinstance(pipe, Tok2Vec)][-1]

    def prepare(self, docs: Sequence[Doc], *, drop: float) -> None:
        """Set the dropout rate, and let the encoder in front read the documents.

        docs (Sequence[Doc]): A batch.
        drop (float): Dropout rate, 0 to 1.
        """
        set_dropout_rate(self.pipe.model, drop)
        batch = Tok2VecListener.get_batch_id(docs)
        for listener, encoder in zip(self._listeners, self._encoders, strict=True):
            if encoder.name in self._frozen:
                listener.receive(batch, encoder.model.predict(list(docs)), _learn_nothing)
            else:
                set_dropout_rate(encoder.model, drop)
                listener.receive(batch, *encoder.model.begin_update(list(docs)))

    def finish(self, optimizer: Optimizer) -> None:
        """Apply the gradients of a batch."""
        encoders = {id(e): e for e in self._encoders if e.name not in self._frozen}
        for pipe in (*encoders.values(), self.pipe):
            pipe.finish_update(optimizer)

    def leave(self) -> None:
        """Forget the last batch, so that the ordinary loop starts as after initialising."""
        for listener in self._listeners:
            listener._batch_id = listener._outputs = listener._backprop = None


def _learn_nothing(d_outputs: Any) -> List[Any]:
    return []
