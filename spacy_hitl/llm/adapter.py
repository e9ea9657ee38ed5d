"""Any model of spacy-llm (`@llm_models`) as a model of this package."""

from typing import Any, Callable, Iterable, Iterator, cast

from ..errors import Errors, HitlError, InputError
from ..records import Request, Response
from ..ty import Model

SpacyLLMModel = Callable[[Iterable[Iterable[Any]]], Iterable[Iterable[Any]]]


class SpacyLLMAdapter:
    """Asks a spacy-llm model one prompt at a time, so that a failing text fails alone."""

    def __init__(self, model: SpacyLLMModel) -> None:
        self.model = model

    @property
    def source(self) -> str:
        """The model's configured name if it has one, else the name of its class or function."""
        name = getattr(self.model, "_name", None) or getattr(self.model, "__name__", None)
        return str(name or type(self.model).__name__)

    def respond(self, requests: Iterable[Request]) -> Iterator[Response]:
        """YIELDS (Response): One response per request; an exception becomes its error."""
        for request in requests:
            try:
                (shard,) = self.model([[request.prompt]])
                # Models from before spacy-llm 0.7 give the reply itself, not a list of replies.
                (reply,) = (shard,) if isinstance(shard, str) else shard
            except HitlError:
                raise
            except Exception as e:  # a foreign model may raise anything; the doc is marked failed
                detail = f"{type(e).__name__}: {e}"
                yield Response(model=self.source, error=Errors.H103.format(detail=detail[:500]))
            else:
                yield Response(model=self.source, text=reply if isinstance(reply, str) else None)


def as_model(model: Any, *, name: str) -> Model:
    """Take a model as it is, or adapt one of spacy-llm.

    model (Any): What the config's model block built.
    name (str): Name of the component, for the error message.
    RETURNS (Model): Something with `source` and `respond`.
    RAISES (InputError): If it is neither.
    """
    if callable(getattr(model, "respond", None)):
        return cast(Model, model)
    if callable(model):
        return SpacyLLMAdapter(model)
    example = '@llm_models = "spacy-hitl.Replay.v1"'
    raise InputError(Errors.H100.format(name=name, block="model", example=example))
