"""`accelerate`: the same predictions in less time, for any pipeline that runs on a CPU."""

from dataclasses import dataclass
from typing import Any, Callable, Tuple

from spacy.language import Language


@dataclass(frozen=True)
class Accelerated:
    """What was made faster.

    layers: layers whose matrix products go through another library. embeddings, encoders: parts of
    tok2vec layers with a faster forward. decoders: components with a faster loop, by name.
    """

    layers: int = 0
    embeddings: int = 0
    encoders: int = 0
    decoders: Tuple[str, ...] = ()


def accelerate(nlp: Language) -> Accelerated:
    """Make a pipeline faster. Its predictions stay the same, up to the order of additions.

    Layers on a GPU are left alone. What the pipeline saves is what it saved before; calling it
    twice changes nothing. Call it again after adding components.

    nlp (Language): Changed in place.
    RETURNS (Accelerated): What was changed.
    """
    from .acceleration.decoding import fast_component
    from .acceleration.embedding import CachedEmbedding, parts_of
    from .acceleration.encoding import FusedEncoder, window_layers
    from .acceleration.products import fastest_ops, on_cpu, use_ops

    layers = embeddings = encoders = 0
    decoders = []
    for i, (name, pipe) in enumerate(nlp._components):
        model: Any = getattr(pipe, "model", None)
        if not hasattr(model, "walk") or not on_cpu(model):
            continue
        layers += use_ops(model, fastest_ops())
        for node in model.walk():
            if isinstance(node._func, (CachedEmbedding, FusedEncoder)):
                continue
            if parts_of(node) is not None:
                node._func = CachedEmbedding(node._func)
                embeddings += 1
            elif window_layers(node):
                node._func = FusedEncoder(node._func)
                encoders += 1
        twin = fast_component(pipe)
        if twin is not None:
            nlp._components[i] = (name, twin)
            decoders.append(name)
    return Accelerated(layers, embeddings, encoders, tuple(decoders))


def make_accelerate_callback() -> Callable[[Language], Language]:
    """Make a callback for `[nlp.after_pipeline_creation]`: the pipeline is fast wherever it loads.

    It then needs spacy-hitl's core install to load.

    RETURNS (Callable[[Language], Language]): Accelerates the pipeline.
    """

    def callback(nlp: Language) -> Language:
        accelerate(nlp)
        return nlp

    return callback
