"""The stored answers behind proposals, with the values of each text in them again."""

from pathlib import Path
from typing import Callable, Optional

from ..records import Request, Response
from ..settings import PrivacySettings
from .mask_rules import make_rules
from .masking import Replacements, mask_request, unmask_response
from .store import ResponseStore


class StoredResponses:
    """Reads answers for those who did not ask. Open while in use; never written to.

    path (Path): The response store. If there is none, there are no answers.
    privacy (PrivacySettings): The project's rules; answers are stored as they were sent, masked.
    ask (Callable[[str], Request]): Builds the request about a text, as the component that asked
        does: its placeholders depend on all of the prompt. Not called if nothing is masked.
    """

    def __init__(
        self, path: Path, privacy: PrivacySettings, *, ask: Callable[[str], Request]
    ) -> None:
        self.rules = make_rules(privacy.mask, privacy.patterns)
        self.ask = ask
        self._store = ResponseStore(path) if path.exists() else None

    def __enter__(self) -> "StoredResponses":
        if self._store is not None:
            self._store.db.open(readonly=True)
        return self

    def __exit__(self, *args: object) -> None:
        if self._store is not None:
            self._store.db.close()

    def about(self, text: str) -> "TextResponses":
        """RETURNS (TextResponses): The answers about one text. Texts that are the same once masked
        share stored answers, so a key alone does not say what an answer quotes.
        """
        return TextResponses(self, text)

    def read(self, key: str) -> Optional[Response]:
        """RETURNS (Optional[Response]): A stored answer as it was sent, if there is one."""
        return None if self._store is None else self._store.get(key)


class TextResponses:
    """The stored answers about one text, by key; made by `StoredResponses.about`."""

    def __init__(self, responses: StoredResponses, text: str) -> None:
        self._responses = responses
        self._text = text
        self._replacements: Optional[Replacements] = None

    def get(self, key: str, /) -> Optional[Response]:
        """RETURNS (Optional[Response]): An answer as the task understood it, if it is stored."""
        response = self._responses.read(key)
        if response is None or not self._responses.rules:
            return response
        if self._replacements is None:  # all samples have the same question
            request = self._responses.ask(self._text)
            self._replacements = mask_request(request, self._responses.rules)[1]
        return unmask_response(response, self._replacements)
