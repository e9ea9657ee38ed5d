"""A page that is followed to the letter: its blocks in order, its edits, what it says one sees."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import List, Optional

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
# Any file that a page may tell to write or to change: `configs/ner.cfg`, never an absolute one.
FILE = re.compile(r"`((?:\w[\w.-]*/)*\w[\w-]*\.(?:cfg|md|py|jsonl))`")
ANY = "..."
# What another machine or another run counts otherwise: 0.912, 41,300, 3.6.
MEASURED = re.compile(r"[+-]?(?:\d+(?:,\d{3})+|\d+\.\d+)")
WORD = re.compile(rf"\.\.\.|{MEASURED.pattern}|\w+|[^\w\s]")


@dataclass(frozen=True)
class Block:
    """A fenced block. kind: word behind the fence. before: the paragraph right before it."""

    kind: str
    body: str
    before: str

    @property
    def file(self) -> str:
        """The file that the paragraph before names last."""
        names = FILE.findall(self.before)
        assert names, f"no file is named before:\n{self.body}"
        return str(names[-1])

    @property
    def commands(self) -> List[str]:
        """Its commands, each as it is typed; a backslash at the end of a line goes on."""
        lines = self.body.replace("\\\n", " ").splitlines()
        return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def read_blocks(page: str) -> List[Block]:
    """RETURNS (List[Block]): All blocks of a page, in order."""
    found, end = [], 0
    for match in BLOCK.finditer(page):
        paragraphs = page[end : match.start()].strip().split("\n\n")
        found.append(Block(match[1], match[2], paragraphs[-1]))
        end = match.end()
    fences = re.findall(r"^ *```", page, re.MULTILINE)
    assert len(fences) == 2 * len(found), "a fence is not closed, or stands in a list"
    return found


def apply_edit(text: str, edit: str) -> str:
    """Replace lines as a diff says.

    text (str): Content of a file.
    edit (str): Lines that begin with " ", "-" or "+"; an empty line separates two places.
    RETURNS (str): The new content.
    """
    for part in edit.strip("\n").split("\n\n"):
        lines = [(line[0], line[1:]) for line in part.splitlines()]
        assert {sign for sign, _ in lines} <= {" ", "-", "+"}, part
        old = "".join(f"{line}\n" for sign, line in lines if sign != "+")
        new = "".join(f"{line}\n" for sign, line in lines if sign != "-")
        assert f"\n{text}".count(f"\n{old}") == 1, f"not there exactly once:\n{old}"
        text = f"\n{text}".replace(f"\n{old}", f"\n{new}")[1:]
    return text


def difference(shown: str, printed: str) -> Optional[str]:
    """Compare what a page shows with what a command printed.

    Spaces and lines of dashes don't count. "..." stands for anything: at the end of a line for its
    rest, alone in a line for any lines. A number with a point or a comma is measured: any other
    such number is as good.

    RETURNS (Optional[str]): The first line that is only in one of the two; None if there is none.
    """
    lines = [words for words in map(_words, printed.splitlines()) if words]
    at, anywhere = 0, False
    for line in shown.splitlines():
        wanted = _words(line)
        if wanted == [ANY]:
            anywhere = True
        elif wanted:
            places = range(at, len(lines) if anywhere else min(at + 1, len(lines)))
            found = next((i for i in places if _alike(wanted, lines[i])), None)
            if found is None:
                return line
            at, anywhere = found + 1, False
    return None if anywhere or at == len(lines) else " ".join(lines[at])


def _words(line: str) -> List[str]:
    words = WORD.findall(line)
    if words and set(words) <= {"-", "=", "─"}:
        return []
    return [MEASURED.sub("0.0", word) for word in words]


def _alike(wanted: List[str], words: List[str]) -> bool:
    if wanted[-1] == ANY:
        wanted, words = wanted[:-1], words[: len(wanted) - 1]
    return wanted == words


def write_file(folder: Path, block: Block) -> None:
    """Save a block as the file that the page names."""
    path = folder / block.file
    path.write_text(block.body, encoding="utf8")


def edit_file(folder: Path, block: Block) -> None:
    """Change the file that the page names."""
    path = folder / block.file
    path.write_text(apply_edit(path.read_text(encoding="utf8"), block.body), encoding="utf8")
