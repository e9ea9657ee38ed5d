"""The page in a real Chromium: from a key to the committed answer, and to the next text painted."""

import os
import time

from review_project import percentile, server

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# When a key went down, by the browser's own clock, and when the text after it was on the screen.
LISTEN = """() => {
  addEventListener("keydown", (e) => {
    if (e.key === "a") performance.mark("bench-key", { startTime: e.timeStamp });
  }, true);
  const root = document.documentElement;
  let shown = root.dataset.digest;
  new MutationObserver(() => {
    if (!root.dataset.digest || root.dataset.digest === shown) return;
    shown = root.dataset.digest;
    requestAnimationFrame(() => setTimeout(() => performance.mark("bench-painted")));
  }).observe(root, { attributes: true, attributeFilter: ["data-digest"] });
}"""
READ = """() => {
  const times = (wanted) => performance.getEntriesByType("mark")
    .filter((m) => wanted(m.name)).map((m) => m.startTime);
  return {
    keys: times((n) => n === "bench-key"),
    acks: times((n) => n.startsWith("hitl-ack:")),
    painted: times((n) => n === "bench-painted"),
  };
}"""


def measure_page(folder, *, answers=300, per_second=15):
    """Press accept, again and again, at an even pace.

    RETURNS: Milliseconds from the key to the committed and acknowledged answer, and to the next
        text painted; and the seconds that the server took to start.
    """
    from playwright.sync_api import sync_playwright

    with server(folder, ["ann"]) as (_, links, start), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        page = browser.new_page()
        page.goto(links["ann"])
        page.wait_for_selector("html[data-state=ready]")
        time.sleep(3)  # the routers rank the first pool: a person reads the first text meanwhile
        page.evaluate(LISTEN)
        began = time.perf_counter()
        for number in range(answers):
            time.sleep(max(0.0, began + number / per_second - time.perf_counter()))
            page.wait_for_selector("html[data-state=ready]")  # nobody answers what is not there
            page.keyboard.press("a")
        page.wait_for_selector("html[data-pending='0']")
        time.sleep(0.2)
        told = page.evaluate(READ)
        browser.close()
    if not len(told["keys"]) == len(told["acks"]) == len(told["painted"]) == answers:
        counts = {name: len(times) for name, times in told.items()}
        raise SystemExit(f"{answers} keys were pressed, the page counted {counts}")
    acks = [ack - key for key, ack in zip(told["keys"], told["acks"], strict=True)]
    paints = [paint - key for key, paint in zip(told["keys"], told["painted"], strict=True)]
    return {
        "start_s": round(start, 2),
        "p50_ms": round(percentile(acks, 0.5), 1),
        "p95_ms": round(percentile(acks, 0.95), 1),
        "p99_ms": round(percentile(acks, 0.99), 1),
        "max_ms": round(max(acks), 1),
        "paint_p50_ms": round(percentile(paints, 0.5), 1),
        "paint_p95_ms": round(percentile(paints, 0.95), 1),
    }
