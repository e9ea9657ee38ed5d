"""A stranger's path: docs/tutorial.md is followed to the letter, in an empty environment."""

import re
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Iterator, Optional

import pytest
from tutorial_page import Block, apply_edit, difference, edit_file, read_blocks, write_file
from tutorial_terminal import Terminal
from tutorial_world import Model, Person, serve_model

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "tutorial.md"
OLLAMA = "http://127.0.0.1:11434/v1"
PACKED = ("setup.cfg", "pyproject.toml", "README.md", "LICENSE", "MANIFEST.in")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy, so that nothing is left in the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "spacy_hitl", source / "spacy_hitl", ignore=ignore)
    for name in PACKED:
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, source)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(folder)]
    done = subprocess.run([*command, str(source)], capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture
def terminal(tmp_path: Path, wheel: Path) -> Iterator[Terminal]:
    """A terminal in an empty folder; what it runs ends with the test."""
    folder = tmp_path / "stranger"
    folder.mkdir()
    terminal = Terminal(folder, wheel)
    yield terminal
    terminal.close()


class Reader:
    """Does what a page says, block by block.

    Three things are not as they say: "spacy-hitl" is the wheel, `ollama` is the model of this test,
    and so the address in the config is another one after `spacy hitl init`.
    """

    def __init__(self, terminal: Terminal, person: Person, stack: ExitStack) -> None:
        self.terminal = terminal
        self.person = person
        self.stack = stack
        self.model: Optional[Model] = None
        self.printed = ""

    def follow(self, block: Block) -> None:
        """Do what a block says."""
        if block.kind == "bash":
            self.printed = "".join(self.type(command) for command in block.commands)
        elif block.kind == "text":
            missing = difference(block.body, self.printed)
            assert missing is None, f"page and output differ: {missing}\n\n{self.printed}"
        elif block.kind == "py":
            write_file(self.terminal.folder, block)
        elif block.kind == "diff":
            edit_file(self.terminal.folder, block)
        else:
            pytest.fail(f"nobody knows what to do with:\n{block.body}")

    def type(self, command: str) -> str:
        """RETURNS (str): What the command printed."""
        if command.startswith("ollama "):
            return self.ollama(command.split()[1])
        reviews = command.startswith("spacy hitl review ")
        printed = self.terminal.run(command, self.person.decide if reviews else None)
        print(f"$ {command}\n{printed}")
        if command.startswith("spacy hitl init ") and "--endpoint" in command:
            assert self.model is not None
            (config,) = self.terminal.folder.glob("*/configs/prototype.cfg")
            text = config.read_text()
            assert text.count(f'"{OLLAMA}"') == 1
            config.write_text(text.replace(OLLAMA, self.model.url))
        return printed

    def ollama(self, verb: str) -> str:
        """Start and stop the model of this test."""
        if verb == "serve":
            self.model = self.stack.enter_context(serve_model())
        elif verb == "stop":
            self.stack.close()
        return ""


@pytest.mark.slow
def test_a_strangers_path(terminal: Terminal, chromium: Any) -> None:
    page = PAGE.read_text(encoding="utf8")
    (texts,) = re.findall(r"Decide on (\d+) texts", page)
    person = Person(chromium, int(texts), ["PART", "DEADLINE"])
    with ExitStack() as stack:
        reader = Reader(terminal, person, stack)
        for block in read_blocks(page):
            reader.follow(block)
    for command, seconds in terminal.times:
        print(f"{seconds:6.1f} s  {command}")
    assert reader.model is not None
    assert len(reader.model.asked) == 1 + 10 + 210  # --check, then every text once for each wording
    assert person.blind >= 50
    assert person.corrected
    assert person.keys <= set(re.findall(r"`(\w)`", page)) and {"a", "j", "d"} <= person.keys


SHOWN = "✔ 62 texts\n...\nF  0.912 ...\n"


@pytest.mark.parametrize(
    "printed, found",
    [
        ("✔ 62   texts\n\n----\n\nF 0.870 more\n", None),
        ("✔ 62 texts\none line\nand another\nF +1.0\n", None),
        ("✔ 61 texts\nF 0.912\n", "✔ 62 texts"),
        ("first\n✔ 62 texts\nF 0.912\n", "✔ 62 texts"),
        ("✔ 62 texts\nF 1\n", "F  0.912 ..."),
        ("✔ 62 texts\n", "F  0.912 ..."),
        ("✔ 62 texts\nF 0.912\nlast\n", "last"),
    ],
)
def test_what_a_page_shows_is_compared(printed: str, found: Optional[str]) -> None:
    assert difference(SHOWN, printed) == found


def test_an_edit_changes_the_lines_it_shows_and_needs_them() -> None:
    text = "[a]\nx = 1\n[b]\nx = 1\ny = 2\n"
    assert apply_edit(text, " [b]\n-x = 1\n+x = 3\n\n-y = 2\n") == "[a]\nx = 1\n[b]\nx = 3\n"
    for edit in ("-x = 1\n", "-z = 1\n", "-= 1\n", "x = 1\n"):
        with pytest.raises(AssertionError):
            apply_edit(text, edit)


def test_no_block_of_a_page_is_overlooked() -> None:
    found = read_blocks(
        "In `a/b.cfg`, then:\n\n```diff\n-x\n```\n\nType:\n\n```bash\nls \\\n  -l\n```\n"
    )
    assert (found[0].kind, found[0].file) == ("diff", "a/b.cfg")
    assert found[1].commands == ["ls    -l"]
    for page in (
        "```bash\nls\n",
        "* so:\n\n  ```bash\n  ls\n  ```\n",
        "\n```bash title\nls\n```\n",
    ):
        with pytest.raises(AssertionError):
            read_blocks(page)


def test_a_terminal_keeps_its_place_and_leaves_nothing_behind(tmp_path: Path) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    terminal = Terminal(folder, tmp_path / "none.whl")
    terminal.run("mkdir there")
    terminal.run("cd there")
    terminal.run("export WHERE=$PWD")
    assert terminal.run("echo $WHERE").strip() == str(folder / "there")
    with pytest.raises(AssertionError, match="ended with 3"):
        terminal.run("exit 3")

    def fail(link: str) -> None:
        raise ValueError(link)

    command = "sleep 1000 & echo $! > ../pid; echo http://127.0.0.1/?token=a; wait"
    with pytest.raises(ValueError, match="token=a"):
        terminal.run(command, fail)
    state = Path("/proc") / (folder / "pid").read_text().strip() / "stat"
    for _ in range(100):
        if not state.exists() or " Z " in state.read_text():
            return
        time.sleep(0.05)
    pytest.fail("it still runs")
