"""`spacy-hitl.Transformers.v1`: a local model in this process, its answers held to the schema."""

import time
from dataclasses import replace
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Tuple, Union

from .._compat import require
from ..errors import Errors, HitlError, ModelError
from ..io import batched, json_digest
from ..records import Request, Response
from .decoding import Decoding
from .local import LocalModel, first_line, load, out_of_memory
from .prompts import answer_prompts


class TransformersModel:
    """Answers with a causal language model of transformers, in batches.

    Nothing is loaded before the first request, and what was loaded is not pickled.
    """

    def __init__(
        self,
        name: str,
        *,
        batch_size: int,
        max_new_tokens: int,
        temperature: float,
        seed: int,
        device: Optional[str],
        structured: bool,
        logprobs: bool,
        local_files_only: bool,
    ) -> None:
        self.name = name
        self.batch_size = batch_size
        self.max_new_tokens = max_new_tokens
        self.temperature = temperature
        self.seed = seed
        self.device = device
        self.structured = structured
        self.logprobs = logprobs
        self.local_files_only = local_files_only
        self._local: Optional[LocalModel] = None

    def __getstate__(self) -> Dict[str, Any]:
        return {**vars(self), "_local": None}

    @property
    def source(self) -> str:
        """Name under which proposals of this model are stored."""
        return self.name

    @property
    def shaping(self) -> Mapping[str, Any]:
        """Parameters that shape an answer, and are part of the key under which it is stored."""
        names = ("max_new_tokens", "temperature", "structured", "logprobs")
        drawn = {"seed": self.seed} if self.temperature > 0 else {}
        return {**{name: getattr(self, name) for name in names}, **drawn}

    def respond(self, requests: Iterable[Request]) -> Iterator[Response]:
        """YIELDS (Response): One per request, in order; one batch of them is read at a time.
        RAISES (ModelError): If no request can be answered: no model, no device, no memory.
        """
        for batch in batched(requests, self.batch_size):
            yield from self._respond_batch(batch)

    def __call__(self, prompts: Iterable[Iterable[Any]]) -> Iterable[Iterable[Any]]:
        """spacy-llm's model interface: one list of prompts per document."""
        yield from answer_prompts(self, prompts)

    # One batch

    def _load(self) -> LocalModel:
        if self._local is None:
            for package in ("torch", "transformers", *(["llguidance"] if self.structured else [])):
                require(package, extra="transformers")
            self._local = load(
                self.name, device=self.device, local_files_only=self.local_files_only
            )
        return self._local

    def _respond_batch(self, batch: List[Request]) -> List[Response]:
        local = self._load()
        prompts = [self._encode(local, request) for request in batch]
        able = [(r, p) for r, p in zip(batch, prompts, strict=True) if isinstance(p, list)]
        answers = iter(self._try(local, able) if able else [])
        return [next(answers) if isinstance(prompt, list) else prompt for prompt in prompts]

    def _encode(self, local: LocalModel, request: Request) -> Union[List[int], Response]:
        """RETURNS (Union[List[int], Response]): Token ids of the prompt, or why it fails."""
        try:
            ids = local.prompt_ids(request)
        except Exception as e:  # a template may refuse anything; the text fails alone
            return self._failed(f"{type(e).__name__}: {e}")
        if local.limit is not None and len(ids) + self.max_new_tokens > local.limit:
            error = Errors.H116.format(
                name=self.name, found=len(ids), new=self.max_new_tokens, limit=local.limit
            )
            return Response(model=self.source, error=error)
        return ids

    def _try(self, local: LocalModel, asked: List[Tuple[Request, List[int]]]) -> List[Response]:
        """Answer all together; if that fails, one by one, so that a text fails alone."""
        try:
            return self._generate(local, asked)
        except HitlError:
            raise
        except Exception as e:  # the code of a model may raise anything
            if out_of_memory(e):
                raise self._no_memory(local, e) from e
            if len(asked) > 1:
                return [answer for one in asked for answer in self._try(local, [one])]
            return [self._failed(f"{type(e).__name__}: {e}")]

    def _generate(
        self, local: LocalModel, asked: List[Tuple[Request, List[int]]]
    ) -> List[Response]:
        decoding = Decoding(
            matchers=[self._matcher(local, request) for request, _ in asked],
            generators=[self._generator(local, request) for request, _ in asked],
            temperature=self.temperature,
            stops=local.stops,
            logprobs=self.logprobs,
        )
        prompts = {"input_ids": [prompt for _, prompt in asked]}
        start = time.monotonic()
        batch = local.tokenizer.pad(prompts, return_tensors="pt").to(local.device)
        decoding.catch_up(batch["input_ids"])
        sequences = local.model.generate(
            **batch, max_new_tokens=self.max_new_tokens, logits_processor=[decoding]
        )
        decoding.catch_up(sequences)
        seconds = (time.monotonic() - start) / len(asked)
        return [
            replace(self._read(local.tokenizer, decoding, row, asked=len(prompt)), seconds=seconds)
            for row, (_, prompt) in enumerate(asked)
        ]

    def _read(self, tokenizer: Any, decoding: Decoding, row: int, *, asked: int) -> Response:
        error = decoding.error(row)
        if error is not None:
            return self._failed(error)
        tokens = decoding.tokens[row]
        # Tidying up spaces would change quotes.
        text = tokenizer.decode(
            tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        logprobs = None
        if decoding.logprobs is not None:
            words = [tokenizer.decode([token]) for token in tokens]
            logprobs = tuple(zip(words, decoding.logprobs[row], strict=True))
        return Response(
            model=self.source,
            text=text,
            finish_reason="stop" if decoding.done[row] else "length",
            prompt_tokens=asked,
            completion_tokens=len(tokens),
            logprobs=logprobs,
        )

    def _matcher(self, local: LocalModel, request: Request) -> Any:
        held = self.structured and bool(request.schema)
        return local.matcher(request.schema) if held else None

    def _generator(self, local: LocalModel, request: Request) -> Any:
        """RETURNS (Optional[torch.Generator]): Draws for one prompt and sample, always the same."""
        if self.temperature <= 0:
            return None
        import torch

        messages = [[m.role, m.content] for m in request.messages]
        seed = int(json_digest([self.seed + request.sample - 1, messages])[:15], 16)
        return torch.Generator(device=local.device).manual_seed(seed)

    def _failed(self, detail: str) -> Response:
        return Response(model=self.source, error=Errors.H103.format(detail=detail[:500]))

    def _no_memory(self, local: LocalModel, error: Exception) -> ModelError:
        remedy = (
            f"Lower batch_size ({self.batch_size}) or max_new_tokens ({self.max_new_tokens}), or "
            "take a smaller model"
        )
        return ModelError(
            Errors.H115.format(
                name=self.name, device=local.device, detail=first_line(error), remedy=remedy
            )
        )


def make_transformers_model(
    name: str,
    batch_size: int = 8,
    max_new_tokens: int = 512,
    temperature: float = 0.0,
    seed: int = 0,
    device: Optional[str] = None,
    structured: bool = True,
    logprobs: bool = False,
    local_files_only: bool = True,
) -> TransformersModel:
    """Make a model that answers in this process, with transformers.

    name (str): Folder as `save_pretrained` writes it, or a name in the Hugging Face cache. Answers
        are stored under it: give other weights another name.
    batch_size (int): Texts that are answered together.
    max_new_tokens (int): Longest answer; one that is cut off is marked as truncated.
    temperature (float): 0 takes the likeliest token, everything above draws.
    seed (int): Of the first sample; sample k has seed + k - 1. Drawn anew for each prompt, so that
        an answer does not depend on the other texts.
    device (Optional[str]): "cpu", "cuda" or what else torch knows; a GPU is taken if there is one.
    structured (bool): Hold answers to the task's JSON schema. They are checked anyway.
    logprobs (bool): Keep the log-probabilities of the answer's tokens as the model gave them,
        before the schema rules tokens out.
    local_files_only (bool): Never download. Set to false to fetch a model by its name.
    RETURNS (TransformersModel): The model. Nothing was loaded yet.
    """
    return TransformersModel(
        name,
        batch_size=batch_size,
        max_new_tokens=max_new_tokens,
        temperature=temperature,
        seed=seed,
        device=device,
        structured=structured,
        logprobs=logprobs,
        local_files_only=local_files_only,
    )
