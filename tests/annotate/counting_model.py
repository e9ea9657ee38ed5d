"""A model for tests: answers from the text alone, and logs every request before it answers."""

import json
import os
import time
from pathlib import Path

import spacy_llm  # noqa: F401  (makes the registries)
from spacy.util import registry

from spacy_hitl.records import Response


class CountingModel:
    source = "counting"

    def __init__(self, log, seconds):
        self.log = log
        self.seconds = seconds

    def respond(self, requests):
        for request in requests:
            with Path(self.log).open("a") as file_:
                file_.write(json.dumps([request.task, request.text_digest]) + "\n")
                file_.flush()
                os.fsync(file_.fileno())
            time.sleep(self.seconds)
            text = request.messages[-1].content
            found = [w for w in ("Nebula", "Orbit", "K10") if w in text.split()]
            if request.task == "product":
                answer = {"entities": [{"text": w, "label": "PRODUCT"} for w in found]}
            else:
                answer = {"label": "RELEVANT" if found else "NOT_RELEVANT"}
            yield Response(model=self.source, text=json.dumps(answer))


@registry.llm_models("test.Counting.v1")
def make_counting_model(log: str, seconds: float = 0.0):
    return CountingModel(log, seconds)
