"""What may leave, and where to: masking around a model, and models that must be local.

The order is `hitl_llm -> MaskedModel -> StoredModel -> model`: the store's key is the digest of
what was really sent, and what it holds was never unmasked.
"""

import ipaddress
from collections import deque
from concurrent.futures import Future
from typing import Any, Callable, Deque, Dict, Iterable, Iterator, Mapping, Optional, Tuple, cast
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from ..errors import Errors, InputError
from ..records import Request, Response
from ..settings import PrivacySettings
from ..ty import Model, RollingModel
from .adapter import SpacyLLMAdapter
from .completions import plain_address
from .mask_rules import Rule, make_rules
from .masking import mask_request, unmask_response
from .store import ResponseStore, StoredModel

LOCAL = tuple(
    ipaddress.ip_network(network)
    for network in (
        *("127.0.0.0/8", "::1/128"),  # this machine
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"),  # private
        *("169.254.0.0/16", "fe80::/10"),  # link-local
    )
)


class MaskedModel:
    """A model that never sees masked values. Its answers come back with them.

    model (Model): Who answers; the store goes between it and this.
    rules (Tuple[Rule, ...]): What is masked.
    """

    def __init__(self, model: Model, rules: Tuple[Rule, ...]) -> None:
        self.model = model
        self.rules = rules

    @property
    def source(self) -> str:
        """The name of the model behind."""
        return self.model.source

    @property
    def shaping(self) -> Mapping[str, Any]:
        """The parameters of the model behind."""
        shaping: Mapping[str, Any] = getattr(self.model, "shaping", {})
        return shaping

    @property
    def window(self) -> Optional[int]:
        """How many requests may be under way, or None if the model answers one by one."""
        return getattr(self.model, "window", None)

    def respond(self, requests: Iterable[Request]) -> Iterator[Response]:
        """YIELDS (Response): One per request, in order, unmasked."""
        waiting: Deque[Dict[str, str]] = deque()

        def masked() -> Iterator[Request]:
            for request in requests:
                hidden, replacements = mask_request(request, self.rules)
                waiting.append(replacements)
                yield hidden

        for response in self.model.respond(masked()):
            # An answer that nobody asked for is for the caller to refuse.
            yield unmask_response(response, waiting.popleft() if waiting else {})

    def submit(
        self,
        request: Request,
        on_answer: Optional[Callable[[Request, Response], Response]] = None,
    ) -> "Future[Response]":
        """Start one request, if the model behind can.

        request (Request): What to ask, as it is.
        on_answer (Optional[Callable]): Called with the request as it is and the unmasked answer.
        RETURNS (Future[Response]): Resolves to the unmasked answer.
        """
        hidden, replacements = mask_request(request, self.rules)

        def finish(_: Request, answer: Response) -> Response:
            response = unmask_response(answer, replacements)
            return response if on_answer is None else on_answer(request, response)

        return cast(RollingModel, self.model).submit(hidden, finish)


def protect(
    model: Model,
    privacy: PrivacySettings,
    *,
    name: str = "model",
    store: Optional[ResponseStore] = None,
) -> Model:
    """Put privacy, and the store, around a model, in the one right order.

    model (Model): What the config's model block built.
    privacy (PrivacySettings): The project's rules.
    name (str): Name of the component, for error messages.
    store (Optional[ResponseStore]): Open for writing; answers are kept in it as they were sent.
    RETURNS (Model): The model to ask from now on.
    RAISES (InputError): If the model is remote and may not be, or a pattern can't be used.
    """
    rules = check_privacy(model, privacy, name=name)
    if store is not None:
        model = StoredModel(model, store)
    return MaskedModel(model, rules) if rules else model


def check_privacy(model: Any, privacy: PrivacySettings, *, name: str = "model") -> Tuple[Rule, ...]:
    """Check before anything is read or stored; nothing is sent.

    RETURNS (Tuple[Rule, ...]): What will be masked.
    RAISES (InputError): If the model is remote and may not be, or a pattern can't be used.
    """
    if privacy.local_only:
        _refuse_remote_model(model, name=name)
    return make_rules(privacy.mask, privacy.patterns)


def _refuse_remote_model(model: Any, *, name: str) -> None:
    own = type(model).__module__.partition(".")[0] == __name__.partition(".")[0]
    if hasattr(model, "base_url"):
        refuse_remote(model.base_url)
        _refuse_proxy(model.base_url)
    elif own and hasattr(model, "model") and not isinstance(model, SpacyLLMAdapter):
        _refuse_remote_model(model.model, name=name)  # a wrapper
    elif isinstance(model, SpacyLLMAdapter):
        raise InputError(Errors.H122.format(model=f"'{model.source}' of spacy-llm", name=name))
    elif not own and getattr(model, "local", None) is not True:
        raise InputError(Errors.H122.format(model=f"'{type(model).__name__}'", name=name))


def refuse_remote(address: Optional[str]) -> None:
    """Refuse an address that may lead out of the house. Names are not looked up.

    address (Optional[str]): Base URL of a server; None is OpenAI's own.
    RAISES (InputError): Unless the host is "localhost" or the IP address of this machine or of a
        private or link-local network.
    """
    if not address:
        raise _remote("the default address of OpenAI", "that is not in your own network")
    problem = _why_remote(address)
    if problem is not None:
        raise _remote(plain_address(address), problem)


def _why_remote(address: str) -> Optional[str]:
    # What another parser could read in another way is not read at all.
    if "\\" in address or any(c.isspace() or not c.isprintable() for c in address):
        return "it holds a backslash, white space or control characters"
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "that is no address"
    if parts.scheme not in ("http", "https") or not host:
        return "that is no http address"
    if host.rstrip(".") == "localhost":
        return None
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        return f"the name '{host}' may lead anywhere"
    ip = getattr(ip, "ipv4_mapped", None) or ip
    if any(ip in network for network in LOCAL):
        return None
    return "that is not in your own network"


def _remote(address: str, problem: str) -> InputError:
    return InputError(Errors.H121.format(address=address, problem=problem))


def _refuse_proxy(address: str) -> None:
    """A request to a local server does not stay local if a proxy carries it."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if not proxy or proxy_bypass(host):
        return
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    if _why_remote(proxy) is not None:
        shown = plain_address(proxy)
        address = plain_address(address)
        raise InputError(Errors.H123.format(address=address, proxy=shown, host=host))
