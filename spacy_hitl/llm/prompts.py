"""spacy-llm's model interface, in which a model is handed prompts where we hand it requests."""

from typing import Any, Iterable, Iterator, List

from ..errors import ModelError
from ..io import text_digest
from ..records import Message, Request
from ..ty import Model


def answer_prompts(model: Model, prompts: Iterable[Iterable[Any]]) -> Iterator[List[str]]:
    """Answer prompts of spacy-llm's own `llm` component, all of a batch together.

    model (Model): Who answers.
    prompts (Iterable[Iterable[Any]]): For each document, its prompts.
    YIELDS (List[str]): For each document, its answers.
    RAISES (ModelError): If a prompt has no answer: there, a failure can't be told from a text.
    """
    shards = [[_request(str(prompt)) for prompt in shard] for shard in prompts]
    replies = model.respond(request for shard in shards for request in shard)
    for shard in shards:
        answers = [next(replies) for _ in shard]
        for answer in answers:
            if answer.error is not None:
                raise ModelError(answer.error)
        yield [answer.text or "" for answer in answers]


def _request(prompt: str) -> Request:
    return Request(text_digest(prompt), "", 1, (Message("user", prompt),), {})
