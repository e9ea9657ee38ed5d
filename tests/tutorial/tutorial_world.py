"""Who else is there: a model behind an OpenAI-compatible server, and a person at a browser."""

import json
import os
import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Dict, Iterator, List, Set, Tuple

PARTS = (
    "(?:(?:front|rear|left) )?(?:brake|wheel|light|pedal)s?|headlight|saddle|gears|cogs|chain|tyre"
    "|belt|(?:gear )?cable|spoke|inner tubes?|bell|kickstand|mudguard|handlebar|luggage rack"
)
BIKES = "Velora|Tarn Nine|Marlow 3"
DAY = "(?:Mon|Tues|Wednes|Thurs|Fri|Satur)day(?: (?:morning|noon|evening))?"
RIGHT = {
    "PART": rf"\b({PARTS})\b",
    "BIKE": f"({BIKES})",
    "DEADLINE": f"(?:by|before|until) ({DAY})",
}
CARELESS = {**RIGHT, "DEADLINE": f"(?:by|before|until|on) ({DAY})"}


def find(rules: Dict[str, str], text: str, labels: List[str]) -> List[Tuple[int, str, str]]:
    """RETURNS (List[Tuple[int, str, str]]): Offset, words and label of every mention, in order."""
    found = (
        (match.start(1), match[1], label)
        for label in labels
        for match in re.finditer(rules[label], text)
    )
    return sorted(found)


class Answering(BaseHTTPRequestHandler):
    """Answers chat completions by rules; one text in six as if every day were a deadline."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        assert self.path == "/v1/chat/completions"
        prompt = "\n".join(message["content"] for message in request["messages"])
        text = prompt.rpartition("<text>\n")[2].rpartition("\n</text>")[0]
        labels = re.findall(r"^- ([A-Z]+)(?::|$)", prompt, re.MULTILINE)
        rules = CARELESS if sha256(text.encode()).digest()[0] % 6 == 0 else RIGHT
        entities = [{"text": w, "label": label} for _, w, label in find(rules, text, labels)]
        message = {"role": "assistant", "content": json.dumps({"entities": entities})}
        tokens = {"prompt_tokens": len(prompt) // 4, "completion_tokens": 20, "total_tokens": 0}
        reply = {
            "id": "x",
            "object": "chat.completion",
            "created": 0,
            "model": request["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": tokens,
        }
        self.server.asked.append(text)  # type: ignore[attr-defined]
        body = json.dumps(reply).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        pass


@dataclass
class Model:
    """A running server. asked: the texts, in the order in which they came."""

    url: str
    asked: List[str]


@contextmanager
def serve_model() -> Iterator[Model]:
    """A server on this machine, gone at the end."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    server.asked = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield Model(f"http://127.0.0.1:{server.server_port}/v1", server.asked)  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        thread.join(60)
        server.server_close()


def keep_picture(page: Any) -> None:
    """Write the picture of the page, if pictures are wanted: see tests/review/browser."""
    if folder := os.environ.get("HITL_SCREENSHOTS"):
        page.wait_for_timeout(250)
        page.evaluate("document.querySelector('.pace').style.visibility = 'hidden'")  # no person's
        page.screenshot(path=str(Path(folder) / "tutorial.png"))


@dataclass
class Person:
    """Somebody who decides on the review page: presses the keys that the page names, and no others.

    keys: the keys that were pressed. blind: texts that were shown without a proposal.
    corrected: texts of which the proposal was not right.
    """

    browser: Any
    texts: int
    labels: List[str]
    keys: Set[str] = field(default_factory=set)
    blind: int = 0
    corrected: int = 0

    def decide(self, link: str) -> None:
        """Open the link, decide on so many texts, finish."""
        from playwright.sync_api import expect

        context = self.browser.new_context(viewport={"width": 1280, "height": 800})
        try:
            self.page = context.new_page()
            errors: List[str] = []
            self.page.on("pageerror", lambda e: errors.append(str(e)))
            self.page.set_default_timeout(20_000)
            self.page.goto(link)
            self.html = self.page.locator("html")
            for number in range(self.texts):
                expect(self.html).to_have_attribute("data-state", "ready", timeout=20_000)
                self.one()
                answered = str(number + 1)
                expect(self.html).to_have_attribute("data-answered", answered, timeout=20_000)
            expect(self.html).to_have_attribute("data-pending", "0", timeout=20_000)
            self.page.get_by_role("button", name="Finish").click()
            self.page.locator("dialog").get_by_role("button", name="Finish").click()
            expect(self.html).to_have_attribute("data-state", "finished", timeout=20_000)
            assert not errors, errors
        finally:
            context.close()

    def press(self, key: str) -> None:
        """Press a key."""
        self.keys.add(key)
        self.page.keyboard.press(key)

    def one(self) -> None:
        """Decide on the text in front."""
        tokens: List[str] = self.page.locator("#text .tok").evaluate_all(
            "all => all.map(e => e.firstChild.data)"
        )
        text = " ".join(token.strip() for token in tokens)
        wanted = [(words, label) for _, words, label in find(RIGHT, text, self.labels)]
        rows = self.page.locator(".sug .what").all_inner_texts()
        shown = [tuple(" ".join(row.split()).rsplit(" ", 1)) for row in rows]
        self.blind += self.page.locator(".mode.blind").count()
        self.corrected += bool(shown) and sorted(shown) != sorted(wanted)
        for number, one in enumerate(shown):
            if one not in wanted:
                self.delete(number)
        for words, label in wanted:
            if (words, label) not in shown:
                self.mark(tokens, words, label)
        self.press("a")

    def delete(self, number: int) -> None:
        """Take a suggestion away."""
        row = self.page.locator(".sug").nth(number)
        for _ in range(20):
            self.press("j")
            if "now" in str(row.get_attribute("class")).split():
                break
        keep_picture(self.page)
        self.press("d")

    def mark(self, tokens: List[str], words: str, label: str) -> None:
        """Drag over words, or double-click a single one, and press the digit of the label."""
        split = words.split()
        stripped = [token.strip() for token in tokens]
        start = next(i for i in range(len(tokens)) if stripped[i : i + len(split)] == split)
        found = self.page.locator("#text .tok")
        if len(split) == 1:
            found.nth(start).dblclick(position={"x": 4, "y": 8})
        else:
            boxes = [found.nth(i).bounding_box() for i in (start, start + len(split) - 1)]
            first, last = ((box["x"] + 3, box["y"] + 8) for box in boxes)
            self.page.mouse.move(*first)
            self.page.mouse.down()
            self.page.mouse.move(*last, steps=3)
            self.page.mouse.up()
        self.press(str(self.labels.index(label) + 1))
