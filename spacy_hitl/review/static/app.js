// The page: what is where, and what the outside may know of its state.

import { effect, html, render, useEffect } from "./vendor/preact.js";
import { onClick, onKey } from "./actions.js";
import { Choices, Compare } from "./compare.js";
import { Dialogs } from "./dialogs.js";
import { openElsewhere } from "./elsewhere.js";
import { start } from "./flow.js";
import { Forms } from "./forms.js";
import { Footer, Header } from "./header.js";
import { CategoryBars, DigitHint, LabelBar } from "./labels.js";
import { Banners, Place, Problems, Why } from "./notices.js";
import { Cap } from "./parts.js";
import { Evidence, Guidelines, History, Suggestions } from "./side.js";
import { Text } from "./text.js";
import * as store from "./store.js";

function Notice() {
  const { text, bad, n } = store.notice.value;
  useEffect(() => {
    if (!text) return;
    const timer = setTimeout(
      () => {
        if (store.notice.value.n === n) store.notice.value = { text: "", bad: false, n };
      },
      bad ? 10_000 : 4000,
    );
    return () => clearTimeout(timer);
  }, [n]);
  const offered = store.offer.value;
  const places = offered?.occurrences.filter((/** @type {any} */ o) => o.differs).length;
  return html`<div class="toasts">
    <p class=${`toast${bad ? " bad" : ""}`} role="status">${text}</p>
    ${offered
      ? html`<p class="toast offer" role="status">
          <span
            ><b dir="auto">${offered.form}</b> → ${offered.label ?? "no label"}: ${places}${offered.more ? "+" : ""}
            other ${places === 1 ? "place" : "places"}</span
          >
          <button onClick=${openElsewhere}>Look <${Cap} action="everywhere" /></button>
          <button
            class="plain"
            aria-label="Not now"
            onClick=${() => {
              store.offer.value = null;
            }}
          >
            ✕
          </button>
        </p>`
      : null}
  </div>`;
}

function Working() {
  const d = store.draft.value;
  if (!d) return html`<${Place} />`;
  if (d.screen.kind === "compare") return html`<${Why} d=${d} /><${Compare} d=${d} />`;
  return html` <section class="card" aria-labelledby="why">
    <${Why} d=${d} />
    <${LabelBar} />
    <${Text} d=${d} />
    <${CategoryBars} />
    <${DigitHint} />
    <${Problems} d=${d} />
  </section>`;
}

function App() {
  if (!store.session.value)
    return html`<main class="alone">
      <h1 class="unseen">Review</h1>
      <${Place} />
    </main>`;
  if (store.view.value === "forms")
    return html`<${Header} />
      <div class="scroll">
        <main class="alone"><${Forms} /></main>
      </div>
      <${Notice} /><${Dialogs} />`;
  const compare = store.draft.value?.screen.kind === "compare";
  return html`<${Header} />
    <div class="scroll" id="scroll">
      <main class=${compare ? "comparing" : ""}>
        <div class="work"><${Banners} /><${Working} /></div>
        <aside aria-label="Suggestions and answers">
          ${compare ? null : html`<${Suggestions} />`}
          <${Guidelines} />
          ${compare ? null : html`<${Evidence} />`}
          <${History} />
        </aside>
      </main>
    </div>
    ${compare ? html`<${Choices} />` : html`<${Footer} />`}<${Notice} /><${Dialogs} />
    <p class="unseen" role="status" aria-live="polite">${store.spoken.value}</p>`;
}

// For tests and benchmarks, and for nothing else.
effect(() => {
  const { dataset } = document.documentElement;
  dataset.state = store.state.value.name;
  dataset.digest = store.draft.value?.screen.digest ?? "";
  dataset.pending = String(store.pending.value);
  dataset.answered = String(store.answered.value);
});

// A new text: said to who listens, and the keyboard is with it.
let last = "";
effect(() => {
  const d = store.draft.value;
  if (!d || d.screen.digest === last) return;
  last = d.screen.digest;
  const n = d.items.length;
  store.spoken.value = `New text, ${n} ${n === 1 ? "suggestion" : "suggestions"}. ${d.screen.why ?? ""}`;
  queueMicrotask(() => {
    document.getElementById("scroll")?.scrollTo({ top: 0 });
    if (!store.dialog.value) document.getElementById("text")?.focus({ preventScroll: true });
  });
});

document.addEventListener("keydown", onKey);
document.addEventListener("click", onClick);
render(html`<${App} />`, /** @type {HTMLElement} */ (document.getElementById("app")));
start();
