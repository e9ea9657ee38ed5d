"""A local OpenAI-compatible server that answers nonsense of the right form, late and unreliably.

It stands in for a real one in tests and benchmarks: only the standard library, one process, and
what it does to a text depends on the text alone, so that a run can be checked afterwards.

usage: python benchmarks/llm_server.py [--port 0] [--latency 0.2] [--sigma 0] [--share-429 0]
       [--retry-after 1] [--faults 0] [--drop-parameter NAME] [--key KEY]
It prints its port as the first line. GET /stats gives counts; POST /reset sets them to zero.
"""

import argparse
import asyncio
import hashlib
import json
import math
import random
from collections import Counter

FAULTS = {"garbage": 0.05, "refused": 0.05, "truncated": 0.05, "dropped": 0.02}
REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 429: "Too Many"}


def share(text, salt):
    """A number from 0 to 1 that depends on the text alone."""
    return int.from_bytes(hashlib.sha256(f"{salt}:{text}".encode()).digest()[:6], "big") / 2**48


def fault_of(text, faults):
    """What is done to a text: 5% garbage, 5% refusals, 5% truncated, 2% dropped, scaled."""
    point = share(text, "fault")
    for name, width in (
        ("garbage", 0.05),
        ("refused", 0.05),
        ("truncated", 0.05),
        ("dropped", 0.02),
    ):
        if point < width * faults:
            return name
        point -= width * faults
    return "ok"


class Server:
    def __init__(self, options):
        self.options = options
        self.dice = random.Random(0)
        self.reset()

    def reset(self):
        self.counts = Counter()
        self.seen = Counter()
        self.in_flight = 0
        self.most_in_flight = 0
        self.limited = set()
        self.was_dropped = set()

    async def handle(self, reader, writer):
        try:
            while await self.one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def one(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        if "/stats" in first or "/reset" in first:
            if "/reset" in first:
                self.reset()
            stats = {
                **self.counts,
                "most_in_flight": self.most_in_flight,
                "distinct": len(self.seen),
            }
            self.send(writer, 200, {**stats, "most_asked": max(self.seen.values(), default=0)})
            return True
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            return await self.complete(json.loads(body), headers, writer)
        finally:
            self.in_flight -= 1

    async def complete(self, request, headers, writer):
        options = self.options
        self.counts["requests"] += 1
        text = request["messages"][-1]["content"]
        if options.key and headers.get("authorization") != f"Bearer {options.key}":
            self.send(writer, 401, {"error": {"message": "Incorrect API key", "code": "bad_key"}})
            return True
        if request["model"] == "unknown":
            self.send(writer, 404, {"error": {"message": "no such model", "code": "not_found"}})
            return True
        if request["model"] == "poor":
            error = {"message": "You exceeded your quota", "code": "insufficient_quota"}
            self.send(writer, 429, {"error": error})
            return True
        if options.drop_parameter and options.drop_parameter in request:
            error = {
                "message": f"unsupported: {options.drop_parameter}",
                "param": options.drop_parameter,
            }
            self.counts["refused_parameter"] += 1
            self.send(writer, 400, {"error": error})
            return True
        if text not in self.limited and self.dice.random() < options.share_429:
            self.limited.add(text)
            self.counts["429"] += 1
            error = {"error": {"message": "slow down", "code": "rate_limited"}}
            self.send(writer, 429, error, f"retry-after: {options.retry_after}\r\n")
            return True
        await asyncio.sleep(self.latency())
        self.seen[text] += 1
        fault = fault_of(text, options.faults)
        if fault == "dropped" and text not in self.was_dropped:
            self.was_dropped.add(text)
            self.counts["dropped"] += 1
            return False
        self.counts["answered"] += 1
        self.send(writer, 200, completion(request, text, fault))
        return True

    def latency(self):
        spread = self.dice.gauss(0, self.options.sigma) if self.options.sigma else 0.0
        return self.options.latency * math.exp(spread)

    def send(self, writer, status, value, extra=""):
        body = json.dumps(value).encode()
        head = f"HTTP/1.1 {status} {REASONS[status]}\r\ncontent-type: application/json\r\n{extra}"
        writer.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)


def completion(request, text, fault):
    schema = request.get("response_format", {}).get("json_schema", {}).get("schema", {})
    message = {"role": "assistant", "content": answer(schema, text)}
    reason = "stop"
    if fault == "garbage":
        message["content"] = "<<%% not what you asked for"
    elif fault == "refused":
        message = {"role": "assistant", "content": None, "refusal": "I can't help with that."}
    elif fault == "truncated":
        message["content"], reason = message["content"][:-3], "length"
    choice = {"index": 0, "message": message, "finish_reason": reason}
    if request.get("logprobs"):
        choice["logprobs"] = {"content": [{"token": "x", "logprob": -0.5, "top_logprobs": []}]}
    usage = {"prompt_tokens": len(text) // 4, "completion_tokens": 5, "total_tokens": 0}
    return {
        "id": "x",
        "object": "chat.completion",
        "created": 0,
        "model": request["model"],
        "choices": [choice],
        "usage": usage,
    }


def answer(schema, text):
    """The first label of an exclusive category task, an empty list for all others."""
    fields = schema.get("properties", {"label": {"enum": ["A", "B"]}})
    (field, kind), *_ = fields.items()
    if kind.get("type") == "array":
        return json.dumps({field: []})
    labels = kind.get("enum", ["A"])
    return json.dumps({field: labels[int(share(text, "label") * len(labels))]})


async def serve(options):
    server = Server(options)
    listener = await asyncio.start_server(server.handle, "127.0.0.1", options.port, backlog=512)
    print(listener.sockets[0].getsockname()[1], flush=True)
    await listener.serve_forever()


def parse(args=None):
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0.2)
    parser.add_argument("--sigma", type=float, default=0.0)
    parser.add_argument("--share-429", type=float, default=0.0)
    parser.add_argument("--retry-after", type=float, default=1.0)
    parser.add_argument("--faults", type=float, default=0.0)
    parser.add_argument("--drop-parameter", default="")
    parser.add_argument("--key", default="")
    return parser.parse_args(args)


if __name__ == "__main__":
    asyncio.run(serve(parse()))
