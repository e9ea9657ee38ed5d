"""One page per word, in the same shape: what it is in three words, its command, what that does."""

import re

import pages
import pytest

WORDS = ("annotate", "review", "distill", "evaluate", "promote", "apply")


@pytest.mark.parametrize("word", WORDS)
def test_the_page_of_a_word_starts_with_what_it_does(word):
    page = (pages.DOCS / f"{word}.md").read_text(encoding="utf8")
    title, command, does = page.split("\n\n")[:3]
    assert title.startswith(f"# {word.capitalize()}: ")
    assert command.startswith(f"```bash\nspacy hitl {word} ") and command.endswith("\n```")
    assert re.match(r"[a-z]+s ", does), "the sentence goes on from the command: 'reads ...'"


def test_every_how_to_says_what_you_have_and_what_you_get_and_is_in_the_menu():
    menu = (pages.DOCS.parent / "mkdocs.yml").read_text(encoding="utf8")
    names = sorted(path.name for path in pages.DOCS.glob("howto_*.md"))
    assert len(names) == 7
    for name in names:
        page = (pages.DOCS / name).read_text(encoding="utf8")
        title, opening = page.split("\n\n")[:2]
        assert title.startswith("# How to ")
        assert opening.startswith("**You have** ") and "**You get** " in opening.replace("\n", " ")
        assert name in menu
