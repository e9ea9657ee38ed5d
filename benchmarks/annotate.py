"""How fast a prompted pipeline annotates, beside an ideal client and spacy-llm's own REST model.

All sides talk to the same local server (benchmarks/llm_server.py) in the same run. The ideal is a
bare asyncio client with the same number of requests in flight, which parses nothing; in the heavy-
tailed part it retries as well. Ours is the whole command: rows into the dataset, prompts, requests,
response store, grounding, proposals into the dataset.

usage: python benchmarks/annotate.py [--docs 3000] [--docs-memory 100000] [--in-flight 32]
The last line is JSON.
"""

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

HERE = Path(__file__).parent
WORDS = [
    "the",
    "phone",
    "battery",
    "camera",
    "is",
    "was",
    "good",
    "bad",
    "slow",
    "great",
    "after",
    "before",
    "today",
    "my",
    "our",
    "it",
]
CONFIG = """
[nlp]
lang = "en"
pipeline = ["mood"]

[components]

[components.mood]
factory = "hitl_llm"

[components.mood.task]
@llm_tasks = "spacy-hitl.TextCat.v1"
labels = ["GOOD","BAD"]
exclusive_classes = true

[components.mood.model]
@llm_models = "spacy-hitl.OpenAI.v1"
name = "local"
base_url = "{address}"
concurrency = {in_flight}

[hitl]
dataset = "{folder}/hitl.db"
responses = "{folder}/responses.db"
"""


@contextmanager
def server(*options):
    command = [sys.executable, str(HERE / "llm_server.py"), *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
    finally:
        process.kill()
        process.wait()


def make_texts(count):
    for i in range(count):
        words = " ".join(WORDS[(i * 7 + k * (k + i)) % len(WORDS)] for k in range(25))
        yield f"Post {i}: {words}"


def write_texts(path, count):
    with path.open("w") as file_:
        for i, text in enumerate(make_texts(count)):
            file_.write(json.dumps({"id": str(i), "text": text}) + "\n")


async def ask(address, body, connection):
    """One attempt. Returns the status and how long to wait before the next."""
    host = urlsplit(address)
    reader, writer = connection or await asyncio.open_connection(host.hostname, host.port)
    head = f"POST /v1/chat/completions HTTP/1.1\r\ncontent-length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    answer = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    length = int(answer.split("content-length: ")[1].split("\r\n")[0])
    await reader.readexactly(length)
    wait = (
        float(answer.split("retry-after: ")[1].split("\r\n")[0]) if "retry-after" in answer else 0
    )
    return int(answer.split(" ")[1]), wait, (reader, writer)


async def ideal(address, texts, in_flight):
    """Docs per second of a bare client: a slot is held for one attempt, free while waiting."""
    slots = asyncio.Semaphore(in_flight)
    idle = []

    async def one(text):
        message = {"role": "user", "content": text}
        body = json.dumps({"model": "local", "messages": [message]}).encode()
        status = 0
        while status != 200:
            async with slots:
                connection = idle.pop() if idle else None
                status, wait, connection = await ask(address, body, connection)
                idle.append(connection)
            if status != 200:
                await asyncio.sleep(wait)

    start = time.perf_counter()
    await asyncio.gather(*(one(text) for text in texts))
    return len(texts) / (time.perf_counter() - start)


def ours(address, count, in_flight, folder):
    """Docs per second of `spacy hitl annotate` without its start: one text is asked about first,
    in a project of its own, so that all packages are imported.
    """
    from spacy_hitl.annotate.run import annotate

    for name, size in (("start", 1), ("run", count)):
        place = folder / name
        place.mkdir(parents=True)
        config, texts = place / "prototype.cfg", place / "texts.jsonl"
        config.write_text(CONFIG.format(address=address, in_flight=in_flight, folder=place))
        write_texts(texts, size)
        start = time.perf_counter()
        summary = annotate(config, texts)
    seconds = time.perf_counter() - start
    assert summary.statuses == {("mood", "ok"): count}, summary
    return count / seconds


def spacy_llm_own(address, texts):
    """Docs per second of spacy-llm's own REST model, as its users configure it."""
    import spacy
    from spacy_llm.models.rest.openai.model import OpenAI

    os.environ["OPENAI_API_KEY"] = "none"
    OpenAI._verify_auth = lambda self: None  # it would ask api.openai.com, whatever the endpoint
    nlp = spacy.blank("en")
    model = {"@llm_models": "spacy.GPT-4.v3", "name": "local"}
    model["endpoint"] = f"{address}/chat/completions"
    task = {"@llm_tasks": "spacy.TextCat.v3", "labels": ["GOOD", "BAD"], "exclusive_classes": True}
    nlp.add_pipe("llm", config={"task": task, "model": model})
    start = time.perf_counter()
    for _ in nlp.pipe(texts):
        pass
    return len(texts) / (time.perf_counter() - start)


def peak_megabytes(count, in_flight):
    """Peak memory of annotating many texts, in a process of its own."""
    with server("--latency", "0") as address, tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--memory-of", address, "--docs", str(count)]
        command += ["--in-flight", str(in_flight), "--folder", folder]
        out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return json.loads(out.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--docs", type=int, default=3000)
    parser.add_argument("--docs-memory", type=int, default=100_000)
    parser.add_argument("--in-flight", type=int, default=32)
    parser.add_argument("--memory-of")
    parser.add_argument("--folder")
    args = parser.parse_args()
    if args.memory_of:
        rate = ours(args.memory_of, args.docs, args.in_flight, Path(args.folder) / "run")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"peak_mb": peak, "docs_per_s": rate}))
        return
    texts = list(make_texts(args.docs))
    figures = {"docs": args.docs, "in_flight": args.in_flight}
    with tempfile.TemporaryDirectory() as folder:
        with server("--latency", "0.2") as address:
            best = asyncio.run(ideal(address, texts, args.in_flight))
            mine = ours(address, args.docs, args.in_flight, Path(folder) / "even")
            theirs = spacy_llm_own(address, texts[:60])
        figures.update(ideal=best, ours=mine, spacy_llm=theirs)
        figures.update(ideal_fraction=mine / best, vs_spacy_llm=mine / theirs)
        tail = ("--latency", "0.2", "--sigma", "0.8", "--share-429", "0.1", "--retry-after", "1")
        with server(*tail) as address:
            best = asyncio.run(ideal(address, texts, args.in_flight))
        with server(*tail) as address:
            mine = ours(address, args.docs, args.in_flight, Path(folder) / "tail")
        figures.update(heavy_tail_ideal=best, heavy_tail_ours=mine)
        figures["heavy_tail_ideal_fraction"] = mine / best
    if args.docs_memory:
        memory = peak_megabytes(args.docs_memory, args.in_flight)
        figures["peak_mb_100k"] = memory["peak_mb"]
        figures["docs_memory"] = args.docs_memory
        figures["docs_per_s_no_latency"] = memory["docs_per_s"]
    print(json.dumps({k: round(v, 3) for k, v in figures.items()}))


if __name__ == "__main__":
    main()
