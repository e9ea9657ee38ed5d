"""Money: what a run will cost, what it has cost, and where it stops.

An amount is reserved before a request is sent and settled when its usage is known, so that many
requests under way can't overshoot together.
"""

import threading
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, cast

from ..errors import BudgetReached, Errors, InputError
from ..records import Request, Response
from ..settings import Price
from ..ty import Model, RollingModel
from .completions import estimate_tokens
from .store import ResponseStore

EXPECTED_ANSWER_TOKENS = 256  # reserved for an answer if the model sets no max_tokens


def price_of(prompt_tokens: int, completion_tokens: int, price: Price) -> float:
    """RETURNS (float): Money, in the currency of the price table.

    >>> price_of(1_000_000, 500_000, Price(input=2.0, output=8.0))
    6.0
    """
    return (prompt_tokens * price.input + completion_tokens * price.output) / 1_000_000


@dataclass(frozen=True)
class LedgerLine:
    """What one model has answered so far. Tokens as its server counted them, if it did."""

    model: str
    requests: int
    prompt_tokens: int
    completion_tokens: int
    cost: Optional[float]


def ledger(store: ResponseStore, prices: Mapping[str, Price]) -> List[LedgerLine]:
    """Add up what was paid for.

    store (ResponseStore): Open.
    prices (Mapping[str, Price]): Money per million tokens, by model.
    RETURNS (List[LedgerLine]): One line per model, sorted; cost is None without a price.
    """
    lines = []
    for model, requests, prompt, completion in store.usage():
        price = prices.get(model)
        cost = None if price is None else price_of(prompt, completion, price)
        lines.append(LedgerLine(model, requests, prompt, completion, cost))
    return lines


class Budget:
    """A limit shared by all models of a run.

    limit (float): The most that may be spent, in the currency of the price table.
    prices (Mapping[str, Price]): Money per million tokens, by model.
    spent (float): What was spent before.
    """

    def __init__(self, limit: float, prices: Mapping[str, Price], *, spent: float = 0.0) -> None:
        self.limit = limit
        self.prices = prices
        self.spent = spent
        self.reserved = 0.0
        self._guard = threading.Lock()

    def price(self, model: str) -> Price:
        """RETURNS (Price): The price of a model.
        RAISES (InputError): If the table has none: a limit without prices limits nothing.
        """
        if model not in self.prices:
            raise InputError(
                Errors.H141.format(model=model, known=", ".join(self.prices) or "none")
            )
        return self.prices[model]

    def reserve(self, model: str, prompt_tokens: int, completion_tokens: int) -> float:
        """Set an amount aside for one request.

        RETURNS (float): The amount.
        RAISES (BudgetReached): If it would go over the limit. Nothing is set aside then.
        """
        amount = price_of(prompt_tokens, completion_tokens, self.price(model))
        with self._guard:
            if self.spent + self.reserved + amount > self.limit:
                spent = f"{self.spent:.4f}"
                raise BudgetReached(Errors.H140.format(limit=self.limit, spent=spent))
            self.reserved += amount
        return amount

    def settle(self, model: str, reserved: float, response: Response) -> None:
        """Turn a reservation into what was spent, by the server's usage if it tells."""
        spent = 0.0
        if response.error is None:
            spent = reserved
            if response.prompt_tokens is not None and response.completion_tokens is not None:
                counts = (response.prompt_tokens, response.completion_tokens)
                spent = price_of(*counts, self.price(model))
        with self._guard:
            self.reserved -= reserved
            self.spent += spent


class BudgetedModel:
    """A model that stops before the money runs out. Behind the store: what is stored is free."""

    def __init__(self, model: Model, budget: Budget) -> None:
        self.model = model
        self.budget = budget

    @property
    def source(self) -> str:
        """The name of the model."""
        return self.model.source

    @property
    def shaping(self) -> Mapping[str, Any]:
        """The model's parameters."""
        return getattr(self.model, "shaping", {})

    @property
    def window(self) -> Optional[int]:
        """How many requests may be under way, or None."""
        return getattr(self.model, "window", None)

    def respond(self, requests: Iterable[Request]) -> Iterator[Response]:
        """YIELDS (Response): One per request, until the budget is reached."""
        for request in requests:
            amount = self._reserve(request)
            for response in self.model.respond([request]):
                self.budget.settle(self.source, amount, response)
                yield response

    def submit(self, request: Request, on_answer: Any) -> "Future[Response]":
        """Start one request, if there is money for it."""
        amount = self._reserve(request)
        future = cast(RollingModel, self.model).submit(request, on_answer)
        future.add_done_callback(lambda done: self._settle(amount, done))
        return future

    def _reserve(self, request: Request) -> float:
        longest = int(self.shaping.get("max_tokens", EXPECTED_ANSWER_TOKENS))
        return self.budget.reserve(self.source, estimate_tokens(request), longest)

    def _settle(self, amount: float, future: "Future[Response]") -> None:
        failed = future.cancelled() or future.exception() is not None
        response = Response(self.source, error="stopped") if failed else future.result()
        self.budget.settle(self.source, amount, response)


class DryModel:
    """Counts what would be asked, and asks nothing."""

    dry = True  # the store before it stays as it is

    def __init__(self, model: Model) -> None:
        self.model = model
        self.requests = 0
        self.prompt_tokens = 0

    @property
    def source(self) -> str:
        """The name of the model that would be asked."""
        return self.model.source

    @property
    def shaping(self) -> Mapping[str, Any]:
        """The model's parameters."""
        return getattr(self.model, "shaping", {})

    def respond(self, requests: Iterable[Request]) -> Iterator[Response]:
        """YIELDS (Response): An error for each request: there is no answer."""
        for request in requests:
            self.requests += 1
            self.prompt_tokens += estimate_tokens(request)
            yield Response(model=self.source, error="dry run: nothing was asked")


def dry_costs(models: Iterable[DryModel], prices: Mapping[str, Price]) -> List[LedgerLine]:
    """RETURNS (List[LedgerLine]): What the counted requests would cost, per model, at most."""
    totals: Dict[str, LedgerLine] = {}
    for model in models:
        longest = int(model.shaping.get("max_tokens", EXPECTED_ANSWER_TOKENS))
        old = totals.get(model.source, LedgerLine(model.source, 0, 0, 0, None))
        requests = old.requests + model.requests
        prompt = old.prompt_tokens + model.prompt_tokens
        completion = old.completion_tokens + model.requests * longest
        price = prices.get(model.source)
        cost = None if price is None else price_of(prompt, completion, price)
        totals[model.source] = LedgerLine(model.source, requests, prompt, completion, cost)
    return [totals[name] for name in sorted(totals)]
