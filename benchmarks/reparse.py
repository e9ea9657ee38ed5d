"""How long it takes to understand stored answers anew, with another label set and no request.

usage: python benchmarks/reparse.py [ANSWERS]   (100,000 if not given; the last line is JSON)
"""

import json
import os
import sys
import tempfile
import time
from pathlib import Path

from spacy_hitl.annotate.run import annotate
from spacy_hitl.io import text_digest
from spacy_hitl.llm.store import ResponseStore
from spacy_hitl.records import Message, Request, Response

CONFIG = """
[nlp]
lang = "en"
pipeline = ["product"]

[components]

[components.product]
factory = "hitl_llm"

[components.product.task]
@llm_tasks = "spacy-hitl.NER.v1"
labels = ["PRODUCT","BRAND"]

[components.product.model]
@llm_models = "spacy-hitl.OpenAI.v1"
name = "local"
base_url = "http://127.0.0.1:9/v1"
"""


def main(count):
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        Path("prototype.cfg").write_text(CONFIG)
        texts = [
            f"Post {i}: my Nebula Pro takes photos like the K{i % 20} did." for i in range(count)
        ]
        rows = (json.dumps({"id": str(i), "text": t}) + "\n" for i, t in enumerate(texts))
        Path("texts.jsonl").write_text("".join(rows))
        answer = '{"entities": [{"text": "Nebula Pro", "label": "PRODUCT"}]}'
        Path("datasets").mkdir()
        with ResponseStore(Path("datasets/responses.db")) as store, store.db.transaction():
            for i, text in enumerate(texts):
                request = Request(text_digest(text), "product", 1, (Message("user", text),), {})
                store.put(f"old prompt {i}", request, Response(model="local", text=answer))
        start = time.perf_counter()
        summary = annotate(Path("prototype.cfg"), Path("texts.jsonl"), reparse=True)
        seconds = time.perf_counter() - start
    assert summary.statuses == {("product", "ok"): count}, summary.statuses
    print(json.dumps({"answers": count, "seconds": round(seconds, 1), "requests": 0}))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
