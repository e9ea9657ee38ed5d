"""What happens between two tokens of a local model: hold to a schema, draw, keep probabilities."""

from typing import Any, Collection, List, Optional

import numpy


class Decoding:
    """A logits processor of transformers for one batch, each row on its own.

    Rows draw from generators of their own (the highest of scores plus Gumbel noise is a draw), so
    that an answer depends on its prompt and seed, not on who else is in the batch.

    matchers (List[Any]): For each row a `llguidance.LLMatcher`, or None.
    generators (List[Any]): For each row a `torch.Generator`; not used at temperature 0.
    temperature (float): 0 takes the likeliest token.
    stops (Collection[int]): Token ids that end an answer.
    logprobs (bool): Whether to keep the log-probability of every token, as the model gave it:
        before the schema rules tokens out, and at temperature 1.
    """

    def __init__(
        self,
        *,
        matchers: List[Any],
        generators: List[Any],
        temperature: float,
        stops: Collection[int],
        logprobs: bool,
    ) -> None:
        self.matchers = matchers
        self.generators = generators
        self.temperature = temperature
        self.stops = frozenset(stops)
        size = len(matchers)
        self.tokens: List[List[int]] = [[] for _ in range(size)]
        self.logprobs: Optional[List[List[float]]] = [[] for _ in range(size)] if logprobs else None
        self.done = [False] * size
        self._last: Any = None
        self._width: Optional[int] = None

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        """RETURNS (Tensor): Scores of the next token, of which the highest is to be taken."""
        self.catch_up(input_ids)
        if self.logprobs is not None:
            self._last = scores.log_softmax(-1)
        if any(m is not None for m in self.matchers):
            scores = scores.masked_fill(self._forbidden(scores), float("-inf"))
        if self.temperature > 0:
            noise = scores.new_empty(scores.shape)
            for row, generator in enumerate(self.generators):
                noise[row].exponential_(generator=generator)
            scores = scores / self.temperature - noise.clamp_min(1e-30).log()
        return scores

    def catch_up(self, input_ids: Any) -> None:
        """Take notice of the token that was chosen last; to be called once more at the end.

        input_ids (Tensor): Prompts and answers so far. Shape: (rows, tokens)
        """
        width, self._width = self._width, int(input_ids.shape[1])
        if width is None or width == self._width:
            return
        chosen = input_ids[:, -1:]
        kept = None if self._last is None else self._last.gather(1, chosen)[:, 0].tolist()
        for row, token in enumerate(chosen[:, 0].tolist()):
            if self.done[row]:
                continue
            if token in self.stops:
                self.done[row] = True
                continue
            self.tokens[row].append(token)
            if self.logprobs is not None and kept is not None:
                self.logprobs[row].append(min(kept[row], 0.0))
            if self.matchers[row] is not None:
                self.matchers[row].consume_token(token)

    def error(self, row: int) -> Optional[str]:
        """RETURNS (Optional[str]): Why an answer could not be held to its schema."""
        matcher = self.matchers[row]
        if matcher is None or not matcher.is_error():
            return None
        return str(matcher.get_error()).splitlines()[0]  # then comes the state of the parser

    def _forbidden(self, scores: Any) -> Any:
        """RETURNS (Tensor): Which tokens may not come next. Shape: as scores"""
        import torch

        allowed = numpy.ones(tuple(scores.shape), dtype=bool)
        for row, matcher in enumerate(self.matchers):
            if matcher is None or self.done[row]:
                continue
            mask = numpy.zeros(allowed.shape[1], dtype=bool)
            if not matcher.is_error():
                bits = numpy.frombuffer(matcher.compute_bitmask(), dtype=numpy.uint8)
                known = numpy.unpackbits(bits, bitorder="little")[: len(mask)]
                mask[: len(known)] = known
            if matcher.is_error() or not mask.any():  # nothing can follow: end it
                mask[list(self.stops)] = True
            allowed[row] = mask
        return torch.from_numpy(~allowed).to(scores.device)
