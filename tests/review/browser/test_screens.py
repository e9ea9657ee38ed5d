"""Every screen, light and dark: no accessibility violation, no error, nothing cut off.

With HITL_SCREENSHOTS set to a folder (docs/images/review), the pictures of docs/review.md are
written there.
"""

import os
import re
from pathlib import Path
from typing import Any, Callable

import pytest
from gallery import SCREENS, Screen

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text()
DOCS = Path(__file__).parent.parent.parent.parent / "docs" / "review.md"
SHOWN = set(re.findall(r"images/review/([\w-]+)\.png", DOCS.read_text()))
# All rules are tried on all nodes; what passed is counted, not described.
RUN = """async (rules) => {
  const options = {runOnly: {type: "tag", values: rules}, resultTypes: ["violations"]};
  const found = await axe.run(document, options);
  return {violations: found.violations, passes: found.passes.length};
}"""
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def check(reviewer: Any, name: str) -> None:
    """No violation, and no sideways scrolling."""
    page = reviewer.page
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    found = page.evaluate(RUN, RULES)
    problems = [
        f"{v['id']}: {v['help']} at {n['target']}: {n.get('failureSummary', '')}"
        for v in found["violations"]
        for n in v["nodes"]
    ]
    assert not problems, "\n".join(problems)
    assert found["passes"] > 10
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0, f"{wide} pixels too wide"


def keep(reviewer: Any, name: str) -> None:
    """Write the picture, if pictures are wanted."""
    folder = os.environ.get("HITL_SCREENSHOTS")
    if folder and name in SHOWN:
        Path(folder).mkdir(parents=True, exist_ok=True)
        reviewer.page.wait_for_timeout(250)
        reviewer.page.screenshot(path=str(Path(folder) / f"{name}.png"))


@pytest.mark.parametrize("screen", SCREENS, ids=lambda s: s.name)
def test_screens(screen: Screen, serve: Callable[..., Any], open_page: Callable[..., Any]) -> None:
    server = serve(screen.texts, tasks=screen.tasks, prepare=screen.prepare, **screen.serve_options)
    width, height = screen.size
    phone = width < 500
    first = open_page(
        next(iter(server.links.values())),
        viewport={"width": width, "height": height},
        color_scheme="light",
        has_touch=phone,
        is_mobile=phone,
        reduced_motion="reduce",
    ).ready()
    screen.act(first)
    for scheme in ("light", "dark"):
        first.page.emulate_media(color_scheme=scheme)
        check(first, screen.name)
        keep(first, f"{screen.name}-{scheme}" if scheme == "dark" else screen.name)


def test_the_page_for_who_has_no_link(
    serve: Callable[..., Any], open_page: Callable[..., Any]
) -> None:
    server = serve(SCREENS[0].texts)
    stranger = open_page(server.url)
    stranger.see("h1", "Not signed in")
    for scheme in ("light", "dark"):
        stranger.page.emulate_media(color_scheme=scheme)
        check(stranger, "signin")
    keep(stranger, "signin")
    stranger.errors = [e for e in stranger.errors if "401" not in e]
