"""What `spacy hitl apply` costs beside a bare `nlp.pipe`: time, memory, and the same on Ray.

    make demo && python benchmarks/apply.py assets/posts.jsonl --pipeline pipelines/phones

The texts are made of the sentences of the file, drawn at random (seeded), all different. Last line:

* `vs_nlp_pipe`: texts per CPU second of apply over those of `nlp.pipe`, median of pairs run in turn
  in one process on one core with one BLAS thread; both with a pipeline loaded anew and not counted.
  Apply reads, cuts and writes, `nlp.pipe` has the texts in memory. `vs_nlp_pipe_same_batch` is the
  same with `nlp.pipe` told to use apply's batches, which are smaller than the pipeline's own.
* `peak_mb_10k`, `peak_mb_200k`: most memory (VmHWM) of a process that applies to 10,000 and to
  200,000 texts (`--memory`), as the command does; null where that was left out.
* `ray_ratio`, `workers_ratio`: texts per second of Ray with two workers, and of two processes
  without Ray, over those of one process; on the clock, starts included, medians of rounds. Null
  without Ray.

    python benchmarks/apply.py assets/posts.jsonl --words 1000000 --out sqlite:///found.db

applies to so many words (tokens) on one core, once, and says how long that took.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "BLIS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import spacy
from bench_data import read

from spacy_hitl.apply.annotating import BATCH_SIZE, RowAnnotator
from spacy_hitl.apply.engines import open_engine
from spacy_hitl.apply.run import SHARD_ROWS, apply
from spacy_hitl.apply.shards import load_pipeline, run_shard
from spacy_hitl.apply.sinks import open_sink
from spacy_hitl.errors import InputError

Sentences = List[Tuple[str, int]]


def cut_sentences(path: Path) -> Tuple[Sentences, List[int]]:
    """RETURNS (Tuple[Sentences, List[int]]): All different sentences of a file, each with its
    number of tokens; and how many sentences its texts have.
    """
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    sentences: Dict[str, int] = {}
    counts = []
    for doc in nlp.pipe(row["text"] for row in read(path)):
        sents = [sent for sent in doc.sents if sent.text.strip()]
        sentences.update((sent.text.strip(), len(sent)) for sent in sents)
        counts.append(len(sents))
    return list(sentences.items()), [count for count in counts if count]


def make_texts(path: Path, seed: int) -> Iterator[Tuple[str, int]]:
    """YIELDS (Tuple[str, int]): Texts without end, no two alike, each with its number of tokens.
    As many sentences as texts of the file have; one more when that text was there before.
    """
    sentences, counts = cut_sentences(path)
    rng = random.Random(seed)
    seen = set()
    while True:
        drawn = rng.choices(sentences, k=rng.choice(counts))
        while (text := " ".join(sentence for sentence, _ in drawn)) in seen:
            drawn += [rng.choice(sentences)]
        seen.add(text)
        yield text, sum(tokens for _, tokens in drawn)


def write_texts(
    source: Path, target: Path, *, seed: int, rows: int = sys.maxsize, words: int = sys.maxsize
) -> Dict[str, int]:
    """RETURNS (Dict[str, int]): Texts and tokens written until there are enough of either."""
    texts = tokens = 0
    with target.open("w", encoding="utf8") as file_:
        made = make_texts(source, seed)
        while texts < rows and tokens < words:
            text, n = next(made)
            file_.write(json.dumps({"id": f"t{texts}", "text": text}) + "\n")
            texts, tokens = texts + 1, tokens + n
    return {"texts": texts, "words": tokens}


def one_core() -> None:
    """Stay on one core."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def peak_megabytes() -> float:
    """RETURNS (float): Most memory this process had, in MB (10^6 bytes)."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024 / 10**6


def overhead(pipeline: str, texts: str, out: str, rounds: int) -> Dict[str, Any]:
    """RETURNS (Dict[str, Any]): CPU seconds of apply and of nlp.pipe, run in turn."""
    one_core()
    plain = [row["text"] for row in read(Path(texts))]
    times: Dict[str, List[float]] = {"nlp_pipe": [], "same_batch": [], "apply": []}
    for number in range(rounds):
        for name in times if number % 2 else reversed(times):
            nlp = load_pipeline(pipeline)
            for _doc in nlp.pipe(plain[:200]):
                pass
            engine = loaded(RowAnnotator(nlp))
            start = time.process_time()
            if name == "apply":
                apply(pipeline, Path(texts), out, overwrite=True, engine=engine)
            else:
                for _doc in nlp.pipe(
                    plain, batch_size=BATCH_SIZE if name == "same_batch" else None
                ):
                    pass
            times[name].append(time.process_time() - start)
    ratios = [a / b for a, b in zip(times["nlp_pipe"], times["apply"], strict=True)]
    return {
        "vs_nlp_pipe": round(statistics.median(ratios), 3),
        "vs_nlp_pipe_range": [round(min(ratios), 3), round(max(ratios), 3)],
        "vs_nlp_pipe_same_batch": ratio(times["same_batch"], times["apply"]),
        "nlp_pipe_texts_per_s": round(len(plain) / statistics.median(times["nlp_pipe"])),
    }


def loaded(annotator: RowAnnotator) -> Any:
    """RETURNS (Any): The local engine with a pipeline that is loaded already."""

    def engine(job: Any, shards: Any, *, report: Any) -> Any:
        for shard in shards:
            yield run_shard(job, annotator, shard, report=report)

    return engine


def run_once(
    pipeline: str, texts: str, out: str, engine: str, workers: int, pinned: bool
) -> Dict[str, Any]:
    """RETURNS (Dict[str, Any]): Time and memory of one run of the command's function."""
    if pinned:
        one_core()
    start, cpu = time.perf_counter(), time.process_time()
    summary = apply(pipeline, Path(texts), out, overwrite=True, engine=open_engine(engine, workers))
    return {
        "texts": summary.written,
        "seconds": time.perf_counter() - start,
        "cpu_seconds": time.process_time() - cpu,
        "peak_mb": round(peak_megabytes(), 1),
    }


CHILDREN: Dict[str, Callable[..., Dict[str, Any]]] = {"overhead": overhead, "run_once": run_once}


def in_child(name: str, **options: Any) -> Dict[str, Any]:
    """RETURNS (Dict[str, Any]): What one of the above returns in a process of its own."""
    words = [sys.executable, __file__, "--child", json.dumps([name, options])]
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True)
    value: Dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return value


def memory(args: argparse.Namespace, folder: Path, ending: str) -> Dict[str, Any]:
    """RETURNS (Dict[str, Any]): Peaks by the number of texts."""
    found: Dict[str, Any] = {"peak_mb_10k": None, "peak_mb_200k": None}
    for rows in args.memory:
        write_texts(args.texts, folder / "memory.jsonl", seed=args.seed, rows=rows)
        run = in_child(
            "run_once",
            pipeline=args.pipeline,
            texts=str(folder / "memory.jsonl"),
            out=str(folder / f"found{ending}"),
            engine="local",
            workers=1,
            pinned=True,
        )
        found[f"peak_mb_{rows // 1000}k"] = run["peak_mb"]
        print(f"{rows:,} texts: {run['peak_mb']} MB, {run['seconds']:.0f} s", file=sys.stderr)
    return found


def engines(args: argparse.Namespace, folder: Path, ending: str) -> Dict[str, Any]:
    """RETURNS (Dict[str, Any]): Two workers with and without Ray over one process."""
    write_texts(args.texts, folder / "engines.jsonl", seed=args.seed, rows=args.engine_texts)
    ways: Dict[str, Tuple[str, int]] = {"one": ("local", 1), "workers": ("local", 2)}
    if find_spec("ray") is not None:
        ways["ray"] = ("ray", 2)
    times: Dict[str, List[float]] = {way: [] for way in ways}
    for _ in range(args.engine_rounds):
        for way, (engine, workers) in ways.items():
            run = in_child(
                "run_once",
                pipeline=args.pipeline,
                texts=str(folder / "engines.jsonl"),
                out=str(folder / f"found{ending}"),
                engine=engine,
                workers=workers,
                pinned=False,
            )
            times[way].append(run["seconds"])
    return {
        "ray_ratio": ratio(times["one"], times.get("ray")),
        "workers_ratio": ratio(times["one"], times["workers"]),
        "engine_texts": args.engine_texts,
        "engine_seconds": {way: round(statistics.median(t), 1) for way, t in times.items() if t},
    }


def ratio(one: Sequence[float], other: Optional[Sequence[float]]) -> Optional[float]:
    """RETURNS (Optional[float]): How many times as fast the other is, median of rounds."""
    if not other:
        return None
    return round(statistics.median(a / b for a, b in zip(one, other, strict=True)), 3)


def best_form() -> str:
    """RETURNS (str): Parquet, or JSONL where pyarrow is missing."""
    try:
        open_sink("found.parquet")
    except InputError:
        return ".jsonl"
    return ".parquet"


def many_words(args: argparse.Namespace, folder: Path) -> Dict[str, Any]:
    """RETURNS (Dict[str, Any]): So many words, one core, once."""
    made = write_texts(args.texts, folder / "words.jsonl", seed=args.seed, words=args.words)
    run = in_child(
        "run_once",
        pipeline=args.pipeline,
        texts=str(folder / "words.jsonl"),
        out=args.out or str(folder / "found.jsonl"),
        engine="local",
        workers=1,
        pinned=True,
    )
    return {
        **made,
        "written": run["texts"],
        "out": (args.out or ".jsonl").partition(":")[0],
        "seconds": round(run["seconds"], 1),
        "cpu_seconds": round(run["cpu_seconds"], 1),
        "words_per_s": round(made["words"] / run["seconds"]),
        "words_per_cpu_s": round(made["words"] / run["cpu_seconds"]),
        "peak_mb": run["peak_mb"],
    }


def main() -> None:
    if sys.argv[1:2] == ["--child"]:
        name, options = json.loads(sys.argv[2])
        print(json.dumps(CHILDREN[name](**options)))
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("texts", type=Path)
    parser.add_argument("--pipeline", default="pipelines/phones")
    parser.add_argument("--rows", type=int, default=2 * SHARD_ROWS, help="for vs_nlp_pipe")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--memory", type=int, nargs="*", default=[10_000, 200_000])
    parser.add_argument("--engine-texts", type=int, default=10 * SHARD_ROWS)
    parser.add_argument("--engine-rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--words", type=int)
    parser.add_argument("--out")
    args = parser.parse_args()
    ending = best_form()
    with TemporaryDirectory() as name:
        folder = Path(name)
        if args.words is not None:
            print(json.dumps(many_words(args, folder)))
            return
        made = write_texts(args.texts, folder / "texts.jsonl", seed=args.seed, rows=args.rows)
        found = {
            **in_child(
                "overhead",
                pipeline=args.pipeline,
                texts=str(folder / "texts.jsonl"),
                out=str(folder / f"found{ending}"),
                rounds=args.rounds,
            ),
            **memory(args, folder, ending),
            **engines(args, folder, ending),
            **made,
            "form": ending[1:],
        }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
