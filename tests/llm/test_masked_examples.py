"""Examples that stand before the text are masked with it."""

import json
from pathlib import Path
from typing import Any

import spacy

from spacy_hitl.llm.mask_rules import make_rules
from spacy_hitl.llm.masking import mask_request, unmask
from spacy_hitl.tasks.base import find_text
from spacy_hitl.tasks.ner.task import make_ner_task

RULES = make_rules(["email"], {})
NLP = spacy.blank("en")


def test_values_in_examples_are_masked_like_those_in_the_text(tmp_path: Path) -> None:
    path = tmp_path / "pool.jsonl"
    examples: Any = [
        {"text": 'Write to "ann@x.de"\nor bob@x.de', "annotation": [[10, 18, "A"]]},
        {"text": "no value to write", "annotation": [[0, 2, "A"]]},
    ]
    path.write_text("".join(json.dumps(e) + "\n" for e in examples))
    task = make_ner_task(["A"], examples=path, examples_nearest=2)
    text = "write to ann@x.de and zoe@x.de"
    request = task.build_request(NLP(text), name="t", sample=1)
    masked, replacements = mask_request(request, RULES)
    assert "@" not in masked.prompt
    assert set(replacements.values()) == {"ann@x.de", "bob@x.de", "zoe@x.de"}
    assert find_text(masked.prompt) == "write to [EMAIL_1] and [EMAIL_2]"
    lines = masked.messages[1].content.split("\n")
    shown = [json.loads(x.partition(": ")[2]) for x in lines if x.startswith("Example ")]
    assert shown == [
        "no value to write",
        {"entities": [{"text": "no", "label": "A"}]},
        'Write to "[EMAIL_1]"\nor [EMAIL_3]',
        {"entities": [{"text": "[EMAIL_1]", "label": "A"}]},
    ]
    assert unmask(find_text(masked.prompt) or "", replacements) == text
