"""Label probabilities where texts are masked: the stored answers quote placeholders."""

import json
from pathlib import Path
from typing import Any, Iterable, Iterator

import pytest
import spacy_llm  # noqa: F401  (makes the registries)
import srsly
from spacy.util import registry

from spacy_hitl.annotate.run import annotate
from spacy_hitl.dataset.store import Dataset
from spacy_hitl.exchange.confidence import answers_behind, confidence_report
from spacy_hitl.exchange.run import export_corpora, import_file
from spacy_hitl.io import text_digest
from spacy_hitl.llm.store import ResponseStore
from spacy_hitl.pipeline.loading import load_prompted, prompted_tasks
from spacy_hitl.records import Request, Response

TEXTS = [
    "Ann (ann@example.com) likes the K10.",
    "Ann (bob@example.com) likes the K10.",  # the same once masked
    "Eve (eve@example.com, eve@example.org) likes nothing.",
]
QUOTES = [["ann@example.com"], ["bob@example.com"], ["eve@example.com", "eve@example.org"]]
CONFIG = """
[nlp]
lang = "en"
pipeline = ["contact"]

[components]

[components.contact]
factory = "hitl_llm"

[components.contact.task]
@llm_tasks = "spacy-hitl.NER.v1"
labels = ["MAIL"]
guidelines = "Something like [EMAIL_1] stands for an address."

[components.contact.model]
@llm_models = "test.Tokens.v1"

[hitl]

[hitl.lanes]
gold = 0.0
dev = 0.0

[hitl.privacy]
mask = ["email"]
"""


class Tokens:
    """Quotes all placeholders of the text. One token per character; a label's are less sure."""

    source = "tokens"

    def respond(self, requests: Iterable[Request]) -> Iterator[Response]:
        for request in requests:
            text = request.messages[-1].content.split("<text>")[-1]
            quotes = [f"[EMAIL_{i}]" for i in range(1, 9) if f"[EMAIL_{i}]" in text]
            answer = json.dumps({"entities": [{"text": q, "label": "MAIL"} for q in quotes]})
            logprobs = tuple((c, -0.5 if c in "MAIL" else -0.1) for c in answer)
            yield Response(self.source, text=answer, logprobs=logprobs)


@registry.llm_models("test.Tokens.v1")
def make_tokens() -> Tokens:
    return Tokens()


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    rows = [{"id": str(i), "text": t} for i, t in enumerate(TEXTS)]
    Path("texts.jsonl").write_text("\n".join(map(json.dumps, rows)))
    decided = [
        {"id": str(i), "contact": [[t.index(q), t.index(q) + len(q), "MAIL"] for q in quotes[:1]]}
        for i, (t, quotes) in enumerate(zip(TEXTS, QUOTES, strict=True))
    ]
    Path("decisions.jsonl").write_text("\n".join(map(json.dumps, decided)))
    Path("p.cfg").write_text(CONFIG)
    annotate(Path("p.cfg"), Path("texts.jsonl"))
    import_file(Path("p.cfg"), Path("decisions.jsonl"))
    return Path("p.cfg")


def test_masked_quotes_are_found(config: Path) -> None:
    """Two texts share an answer, and the prompt itself holds what looks like a placeholder."""
    with ResponseStore(Path("datasets/responses.db")) as store:
        stored = "".join(str(r.text) for *_, r in store.recorded())
        assert len(store) == 2
    assert "example" not in stored
    assert "[EMAIL_2]" in stored
    report = confidence_report(config, "contact")
    assert report.sources == {"logprobs": 4}
    assert report.groups["proposed"].wrong == 1


def test_every_text_has_its_own_values(config: Path) -> None:
    nlp, settings = load_prompted(config)
    with Dataset(Path("datasets/hitl.db")) as dataset:
        keys = [dataset.proposals("contact", text_digest(t))[0].response_key for t in TEXTS]
    assert keys[0] == keys[1]
    with answers_behind(prompted_tasks(nlp)["contact"], nlp, settings) as answers:
        for text, key, quotes in zip(TEXTS, keys, QUOTES, strict=True):
            response: Any = answers.about(text).get(str(key))
            assert [e["text"] for e in json.loads(response.text)["entities"]] == quotes
            assert "".join(token for token, _ in response.logprobs) == response.text
            assert response == answers.about(text).get(str(key))
        assert answers.about(TEXTS[0]).get("no such key") is None


def test_exported_proposals_have_them_too(config: Path) -> None:
    export_corpora(config)
    _, *rows = srsly.read_jsonl("corpus/contact.jsonl")
    spans = [span for row in rows for span in row["proposal"]["annotation"]["spans"]]
    assert [span["score_source"] for span in spans] == ["logprobs"] * 4


def test_without_a_store_there_are_no_answers(config: Path, fails: Any) -> None:
    for path in Path("datasets").glob("responses.db*"):
        path.unlink()
    with fails("H132"):
        confidence_report(config, "contact")
    assert not list(Path("datasets").glob("responses.db*"))
