"""A real Chromium with the page's own security on, and what every test asks of it."""

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))

import live
import world

HERE = Path(__file__).parent


class Reviewer:
    """A person at a browser: opens links, presses keys, looks at what is there."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.errors: List[str] = []
        page.on("pageerror", lambda e: self.errors.append(str(e)))
        page.on("console", self._listen)
        page.set_default_timeout(10_000)

    def _listen(self, message: Any) -> None:
        # A server that was killed on purpose makes the browser report failed requests.
        if message.type == "error" and "net::ERR_" not in message.text:
            self.errors.append(message.text)

    def press(self, *keys: str) -> "Reviewer":
        """Press keys, one after the other."""
        for key in keys:
            self.page.keyboard.press(key)
        return self

    def see(self, selector: str, text: Optional[Any] = None) -> Any:
        """Wait until something is there. RETURNS (Locator): It."""
        from playwright.sync_api import expect

        found = self.page.locator(selector)
        if text is None:
            expect(found.first).to_be_visible()
        else:
            expect(found.first).to_contain_text(text)
        return found

    def gone(self, selector: str) -> None:
        """Wait until nothing of it is there."""
        from playwright.sync_api import expect

        expect(self.page.locator(selector)).to_have_count(0)

    def state(self, **values: Any) -> "Reviewer":
        """Wait until the page says that it is in a state: `state(pending=0)`."""
        from playwright.sync_api import expect

        html = self.page.locator("html")
        for name, value in values.items():
            expect(html).to_have_attribute(f"data-{name}", str(value), timeout=15_000)
        return self

    def ready(self) -> "Reviewer":
        """Wait for a text."""
        return self.state(state="ready")

    @property
    def digest(self) -> str:
        """The text in front."""
        return str(self.page.locator("html").get_attribute("data-digest"))

    def select(self, words: str) -> None:
        """Drag over words of the text, or double-click a single one."""
        tokens = self.page.locator("#text .tok")
        texts = [t.strip() for t in tokens.all_text_contents()]
        wanted = words.split()
        starts = [
            i
            for i in range(len(texts))
            if all(texts[i + n].startswith(w) for n, w in enumerate(wanted) if i + n < len(texts))
            and i + len(wanted) <= len(texts)
        ]
        first, last = tokens.nth(starts[0]), tokens.nth(starts[0] + len(wanted) - 1)
        if len(wanted) == 1:
            first.dblclick(position={"x": 4, "y": 8})
            return
        box = first.bounding_box()
        self.page.mouse.move(box["x"] + 3, box["y"] + 8)
        self.page.mouse.down()
        box = last.bounding_box()
        self.page.mouse.move(box["x"] + 3, box["y"] + 8, steps=3)
        self.page.mouse.up()

    def suggestions(self) -> List[str]:
        """What the right column lists: words and label of each."""
        rows = self.page.locator(".sug .what").all()
        return [" ".join(r.inner_text().split()) for r in rows]


@pytest.fixture
def open_page(chromium: Any) -> Iterator[Callable[..., Reviewer]]:
    """`open_page(link)`: a browser of its own for each call; no page may log an error."""
    contexts: List[Any] = []
    reviewers: List[Reviewer] = []

    def open_(link: str, *, context: Any = None, **options: Any) -> Reviewer:
        if context is None:
            options.setdefault("viewport", {"width": 1280, "height": 800})
            context = chromium.new_context(**options)
            contexts.append(context)
        reviewer = Reviewer(context.new_page())
        reviewers.append(reviewer)
        reviewer.page.goto(link)
        return reviewer

    yield open_
    errors = [e for r in reviewers for e in r.errors]
    for context in contexts:
        context.close()
    assert not errors, errors


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is the current one."""
    folder = tmp_path / "phones"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def serve(here: Path) -> Iterator[Callable[..., live.Server]]:
    """`serve(texts, tasks=...)`: a project with a server in a thread, finished at the end.

    prepare: adds to the project first. shown: the tasks that are reviewed, if not all.
    """
    with ExitStack() as stack:

        def serve_(
            texts: Any,
            *,
            tasks: Any = ("product",),
            settings: Optional[Dict[str, Any]] = None,
            prepare: Callable[[], None] = lambda: None,
            shown: Any = (),
            **options: Any,
        ) -> live.Server:
            world.write_project(texts, tasks=tasks, settings=settings)
            prepare()
            return stack.enter_context(live.server(tasks=shown, **options))

        yield serve_


@pytest.fixture
def program(here: Path) -> Iterator[Callable[..., world.Program]]:
    """`program(texts, options)`: the command in a process of its own, that can be killed."""
    started: List[world.Program] = []

    def program_(texts: Any, *options: str, **more: Any) -> world.Program:
        world.write_project(texts, **more)
        started.append(world.Program(options))
        return started[-1].start()

    yield program_
    for one in started:
        if one.process is not None and one.process.is_alive():
            one.kill()
