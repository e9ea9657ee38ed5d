"""Structured records from the promoted pipeline. Needs spaCy and nothing else of this project.

usage: python scripts/records.py pipelines/phones
"""

import json
import sys

import spacy

POSTS = [
    "Traded my K10 for the Nebula Pro on Saturday. The pictures at dusk are stunning, "
    "but it is dead by four in the afternoon.",
    "Does anybody know whether the Lumen L6 comes with a charger in the box?",
    "We watched the comet from the roof until two, my neck still hurts.",
]


def record(nlp, text):
    """Turn one post into what a product team would store."""
    doc = nlp(text)
    result = {"text": text}
    if "product" in nlp.pipe_names:
        result["mentions"] = [{"text": e.text, "id": e.kb_id_ or None} for e in doc.ents]
    if "attributes" in nlp.pipe_names:
        pipe = nlp.get_pipe("attributes")
        threshold = getattr(pipe, "cfg", {}).get("threshold", 0.5)
        result["attributes"] = [a for a in pipe.labels if doc.cats[a] >= threshold]
    if "relevant" in nlp.pipe_names:
        result["relevant"] = doc.cats["RELEVANT"] > doc.cats["NOT_RELEVANT"]
    return result


if __name__ == "__main__":
    nlp = spacy.load(sys.argv[1])
    for text in POSTS:
        print(json.dumps(record(nlp, text), ensure_ascii=False, indent=2))
    held = nlp.meta.get("hitl", {}).get("held", {})
    for task, reasons in held.items():
        print(f"{task}: held, not in this pipeline ({'; '.join(reasons)})")
