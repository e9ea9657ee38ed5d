"""The local OpenAI-compatible server of benchmarks/, for tests."""

import json
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from pathlib import Path

BENCHMARKS = Path(__file__).parent.parent.parent / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))
from llm_server import fault_of  # noqa: E402

__all__ = ["CONFIG", "fault_of", "server", "stats"]

CONFIG = """
[nlp]
lang = "en"
pipeline = ["mood"]

[components]

[components.mood]
factory = "hitl_llm"

[components.mood.task]
@llm_tasks = "spacy-hitl.TextCat.v1"
labels = ["A","B"]
exclusive_classes = true

[components.mood.model]
@llm_models = "spacy-hitl.OpenAI.v1"
name = "{name}"
base_url = "{address}"
concurrency = {concurrency}
max_tokens = 20

[hitl]
dataset = "hitl.db"
responses = "responses.db"
"""


@contextmanager
def server(*options):
    """Yields the server's address."""
    command = [sys.executable, str(BENCHMARKS / "llm_server.py"), "--latency", "0.005", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
    finally:
        process.kill()
        process.wait(60)


def stats(address):
    with urllib.request.urlopen(address.replace("/v1", "/stats"), timeout=30) as response:
        return json.load(response)
