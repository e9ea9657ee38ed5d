"""The report in a real Chromium: no request, no error, nothing that runs; light, dark, on paper."""

from pathlib import Path
from typing import Any, List, Tuple

import pytest
import report_world as world
from report_world import HOSTILE

from spacy_hitl.evaluate.report.run import write_report

AXE = Path(__file__).parent.parent / "review" / "browser" / "vendor" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
CONTRAST = """() => {
  const light = c => {
    const linear = x => x <= .04045 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4;
    const [r, g, b] = c.map(x => linear(x / 255));
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const parse = c => c.match(/[\\d.]+/g).map(Number);
  const behind = e => {
    for (; e; e = e.parentElement) {
      const c = parse(getComputedStyle(e).backgroundColor);
      if (c.length < 4 || c[3] > 0) return c.slice(0, 3);
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const e of document.querySelectorAll('svg text')) {
    let back = behind(e);
    // What is written on a bar: the bar is drawn before it, under its middle.
    const box = e.getBoundingClientRect();
    const x = box.x + box.width / 2, y = box.y + box.height / 2;
    for (const p of e.ownerSVGElement.querySelectorAll('path')) {
      const style = getComputedStyle(p), b = p.getBoundingClientRect();
      const covers = b.x <= x && b.right >= x && b.y <= y && b.bottom >= y && b.height > 12;
      const whole = Number(style.fillOpacity) === 1 && style.fill.startsWith('rgb(');
      if (covers && whole && p.parentElement.id.includes('patch')) back = parse(style.fill);
    }
    const [a, b] = [light(parse(getComputedStyle(e).fill)), light(back)].sort((x, y) => y - x);
    found.push([(a + .05) / (b + .05), e.textContent]);
  }
  return found;
}"""


# All rules are tried on all nodes; what passed is counted, not described.
RUN = """async (rules) => {
  const options = {runOnly: {type: "tag", values: rules}, resultTypes: ["violations"]};
  const found = await axe.run(document, options);
  return {violations: found.violations, passes: found.passes.length};
}"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of two tasks, with everything in it."""
    folder = tmp_path_factory.mktemp("report")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        world.write_world(("product", "topics"))
        write_report(world.CONFIG, Path("report.html"))
    return folder / "report.html"


def open_report(chromium: Any, report: Path, **options: Any) -> Tuple[Any, List[str], List[str]]:
    """RETURNS (Tuple): The page, and lists that hold what it asks for and what it complains of."""
    options.setdefault("viewport", {"width": 1000, "height": 900})
    page = chromium.new_context(**options).new_page()
    requests: List[str] = []
    errors: List[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: errors.append(message.text))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(report.as_uri())
    return page, requests, errors


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_asked_for_and_nothing_runs(scheme: str, chromium: Any, report: Path) -> None:
    page, requests, errors = open_report(chromium, report, color_scheme=scheme)
    assert page.title() == "Evaluation of phones"
    assert HOSTILE.split(" ")[0] in page.locator("main").inner_text()
    assert page.locator("script, img").count() == 0
    assert page.locator("figure svg").count() > 10
    page.wait_for_timeout(200)
    assert [r for r in requests if not r.startswith("data:")] == [report.as_uri()]
    assert errors == []
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read(scheme: str, chromium: Any, report: Path) -> None:
    """By everybody: axe finds nothing, and what is written in the drawings stands out."""
    page, _, _ = open_report(chromium, report, color_scheme=scheme, bypass_csp=True)
    found = page.evaluate(CONTRAST)
    assert len(found) > 80
    assert not [(round(ratio, 1), words) for ratio, words in found if ratio < 4.5]
    paper = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert (paper == "rgb(255, 255, 255)") == (scheme == "light")
    page.evaluate(AXE.read_text())
    result = page.evaluate(RUN, RULES)
    problems = [(v["id"], n["target"]) for v in result["violations"] for n in v["nodes"]]
    assert not problems
    assert result["passes"] > 10
    page.context.close()


def test_without_scripts_on_a_phone(chromium: Any, report: Path) -> None:
    page, _, errors = open_report(
        chromium, report, java_script_enabled=False, viewport={"width": 390, "height": 800}
    )
    assert page.locator("h2").count() == 5
    assert page.locator("main").bounding_box()["width"] <= 390
    drawing = page.locator("figure svg").first.bounding_box()["width"]
    assert drawing > 500, "its words would be too small: it is scrolled"
    assert errors == []
    page.context.close()
    page, _, _ = open_report(chromium, report, viewport={"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.context.close()


def test_on_paper_it_is_light(chromium: Any, report: Path) -> None:
    page, _, _ = open_report(chromium, report, color_scheme="dark")
    page.emulate_media(media="print")
    style = "getComputedStyle(document.documentElement).backgroundColor"
    assert page.evaluate(style) == "rgb(255, 255, 255)"
    assert not [ratio for ratio, _ in page.evaluate(CONTRAST) if ratio < 4.5]
    assert not page.locator("nav").is_visible()
    assert page.pdf(format="A4").count(b"/Type /Page\n") > 6
    page.context.close()
