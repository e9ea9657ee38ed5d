// The right column: everything that is suggested for this text, least certain first, and the last
// answers.

import { html, useEffect, useState } from "./vendor/preact.js";
import { get } from "./api.js";
import { choose, edit, run } from "./actions.js";
import { colourOf } from "./colours.js";
import { back, reopen } from "./flow.js";
import { Links } from "./links.js";
import { activate, find, remove, wordsOf } from "./model.js";
import { Cap, SlotCap } from "./parts.js";
import { counts } from "./screen.js";
import * as store from "./store.js";

/** @typedef {import("./model.js").Draft} Draft */
/** @typedef {import("./model.js").Item} Item */

/** @param {Draft} d @param {Item} i */
function words(d, i) {
  const mention = (/** @type {number} */ key) => {
    const m = find(d, key);
    return m ? wordsOf(d, m.start, m.end) : "?";
  };
  if (i.type === "relation")
    return html`<span class="words" dir="auto">${mention(i.head)} <b aria-label="to">→</b> ${mention(i.tail)}</span>`;
  return i.type === "span" ? html`<span class="words" dir="auto">${wordsOf(d, i.start, i.end)}</span>` : null;
}

/** Score and where it comes from. @param {{i: Item}} props */
function Source({ i }) {
  const moved =
    i.shown &&
    i.shown.state === "on" &&
    (i.shown.label !== i.label || i.shown.start !== i.start || i.shown.end !== i.end);
  const source = !i.shown ? "added" : moved ? "changed" : i.source === "propagated" ? "from another text" : i.source;
  return html`<span class="source">${i.score === null ? "" : html`<b>${i.score.toFixed(2)}</b> `}${source}</span>`;
}

/** @param {{d: Draft, i: Item}} props */
function Suggestion({ d, i }) {
  const now = i.key === d.active;
  const lost = i.state === "on" && !counts(d, i); // a relation without its mentions
  const name = ["sug", now && "now", lost ? "off" : i.state, i.key === d.head && "head"].filter(Boolean).join(" ");
  const state = lost ? "not possible now" : { off: "deleted", extra: "perhaps missing", on: "" }[i.state];
  return html`<li class=${name} style=${{ "--c": `var(--c${colourOf(d.tasks, i.task, i.label)})` }}>
    <button class="row" aria-current=${now ? "true" : undefined} onClick=${() => edit((x) => activate(x, i.key))}>
      <i aria-hidden="true" /><span class="what">${words(d, i)}<span class="of">${i.fixed ? "" : i.label}</span></span>
      ${state ? html`<span class="source">${state}</span>` : html`<${Source} i=${i} />`}
    </button>
    ${i.fixed
      ? null
      : html`<button
          class="plain small"
          onClick=${() => edit((x) => ({ ...remove(activate(x, i.key)) }))}
          aria-label=${i.state === "off" ? "Bring back" : i.state === "extra" ? "Dismiss" : "Delete"}
        >
          ${i.state === "off" ? "↺" : "✕"}
        </button>`}
    ${now && i.state === "extra"
      ? html`<button class="add" onClick=${() => run("include")}>Add it <${Cap} action="include" /></button>`
      : null}
    <${Links} d=${d} item=${i} open=${now} />
  </li>`;
}

/** A difference between two versions: this one from A, that one from B. @param {{d: Draft, group: number}} props */
function Difference({ d, group }) {
  const items = d.items.filter((i) => i.group === group);
  const now = items.some((i) => i.key === d.active);
  const chosen = items.every((i) => i.state === "extra") ? null : (items.find((i) => i.state === "on")?.side ?? "");
  const pick = (/** @type {"A"|"B"|""} */ side) => () => {
    edit((x) => activate(x, items[0].key));
    choose({ do: "side", side });
  };
  const say = (/** @type {Item} */ i) =>
    html`<span class="one"
      >${words(d, i)} <span class="of">${i.label}</span>
      <span class="source"
        >${Object.entries(i.links).map(([t, l]) => (l.id ? store.nameOf(d, t, l.id) : ""))}</span
      ></span
    >`;
  const side = (/** @type {"A"|"B"|""} */ s) => {
    const own = items.filter((i) => i.side === s);
    return html`<button class="side" aria-pressed=${chosen === s} onClick=${pick(s)}>
      ${now ? html`<${SlotCap} choice=${{ do: "side", side: s }} />` : null}<b>${s || "neither"}</b> ${own.length
        ? own.map(say)
        : s
          ? html`<em>nothing</em>`
          : null}
    </button>`;
  };
  return html`<li
    class=${`difference${now ? " now" : ""}${chosen === null ? " open" : ""}`}
    aria-current=${now ? "true" : undefined}
    style=${{ "--c": `var(--c${colourOf(d.tasks, items[0].task, items[0].label)})` }}
  >
    <div class="head">
      <span class="name">${d.tasks.length > 1 ? items[0].task : `difference ${group + 1}`}</span>${side("")}
    </div>
    ${side("A")}${side("B")}
  </li>`;
}

/** Scroll the list, and nothing around it, to what is active. */
function showActive() {
  const list = document.querySelector(".sugs");
  const box = list?.querySelector(".now")?.getBoundingClientRect();
  if (!list || !box) return;
  const { top, bottom } = list.getBoundingClientRect();
  if (box.top < top) list.scrollTop -= top - box.top;
  else if (box.bottom > bottom) list.scrollTop += Math.min(box.bottom - bottom, box.top - top);
}

export function Suggestions() {
  const d = store.draft.value;
  useEffect(() => showActive(), [d?.active]);
  if (!d) return null;
  const groups = [...new Set(d.items.filter((i) => i.group >= 0).map((i) => i.group))];
  const plain = d.items.filter((i) => i.group < 0);
  const head = d.head === null ? null : find(d, d.head);
  const none = d.screen.blind ? "Blind: nothing is suggested. What you find is the measure." : "Nothing is suggested.";
  return html`<section class="panel" aria-labelledby="suggestions">
    <h2 id="suggestions">
      ${groups.length ? "Differences" : "Suggestions"}
      <span class="keys"><${Cap} action="next" /><${Cap} action="previous" /></span>
    </h2>
    ${groups.length
      ? html`<p class="legend">
          ${d.screen.versions.map(
            (/** @type {any} */ v) => html`<span key=${v.who}><b>${v.who}</b> ${v.annotator}</span>`,
          )}
        </p>`
      : null}
    ${head
      ? html`<p class="making">
          ${wordsOf(d, head.start, head.end)} → <b>which mention?</b> Then a label. <${Cap} action="clear" /> stops.
        </p>`
      : null}
    ${d.items.length
      ? html`<ul class="sugs">
          ${groups.map((g) => html`<${Difference} key=${`g${g}`} d=${d} group=${g} />`)}
          ${plain.map((i) => html`<${Suggestion} key=${i.key} d=${d} i=${i} />`)}
        </ul>`
      : html`<p class="empty">${none}</p>`}
  </section>`;
}

/** Prompt and raw answer behind the suggestions, fetched when they are asked for. */
export function Evidence() {
  const d = store.draft.value;
  const open = store.evidenceOpen.value;
  const [found, setFound] = useState(/** @type {any} */ (null));
  const digest = d?.screen.digest;
  useEffect(() => {
    setFound(null);
    if (!open || !d || d.screen.blind) return;
    const asked = d.tasks.map((t) =>
      get("/api/evidence", { digest, task: t.name }).then(
        (v) => ({ ...v, task: t.name }),
        (e) => ({ task: t.name, error: e.message }),
      ),
    );
    Promise.all(asked).then(setFound);
  }, [open, digest]);
  if (!d) return null;
  const toggle = (/** @type {any} */ e) => {
    store.evidenceOpen.value = e.currentTarget.open;
  };
  return html`<details class="panel" open=${open} onToggle=${toggle}>
    <summary>Prompt and answer <${Cap} action="evidence" /></summary>
    ${d.screen.blind ? html`<p class="empty">Not shown for blind texts.</p>` : null}
    ${found?.map(
      (/** @type {any} */ e) =>
        html`<div key=${e.task} class="evidence">
          <h3>${e.task} ${e.model ? html`<small>${e.model}${e.status ? `, ${e.status}` : ""}</small>` : null}</h3>
          ${e.error
            ? html`<p>${e.error}</p>`
            : html`<pre tabindex="0" aria-label=${`Answer for ${e.task}`}>${e.answer ?? "no answer is stored"}</pre>
                <details>
                  <summary>prompt</summary>
                  <pre tabindex="0" aria-label=${`Prompt for ${e.task}`}>${e.prompt}</pre>
                </details>`}
        </div>`,
    )}
  </details>`;
}

export function Guidelines() {
  const tasks = (store.draft.value?.tasks ?? store.session.value.tasks).filter(
    (/** @type {any} */ t) => t.guidelines || Object.keys(t.definitions ?? {}).length,
  );
  const toggle = (/** @type {any} */ e) => {
    store.guidelinesOpen.value = e.currentTarget.open;
  };
  if (!tasks.length) return null;
  const texts = [...new Set(tasks.map((/** @type {any} */ t) => t.guidelines).filter(Boolean))];
  return html`<details class="panel" open=${store.guidelinesOpen.value} onToggle=${toggle}>
    <summary>Guidelines <${Cap} action="guidelines" /></summary>
    ${tasks.map(
      (/** @type {any} */ t) =>
        html`<dl key=${t.name}>
          ${Object.entries(t.definitions ?? {}).map(
            ([label, words_]) =>
              html`<dt>${label}</dt>
                <dd>${words_}</dd>`,
          )}
        </dl>`,
    )}
    ${texts.map((text) => html`<pre class="prose" tabindex="0" aria-label="Guidelines">${text}</pre>`)}
  </details>`;
}

const MARKS = /** @type {Object<string, string>} */ ({
  accept: "✓",
  reject: "✗",
  skip: "»",
  flag: "⚑",
  compare: "⇄",
  everywhere: "⁂",
});

const DONE = /** @type {Object<string, string>} */ ({ reject: "rejected", skip: "skipped", flag: "put aside" });

/** @param {{rows: any[], empty: string}} props */
export function AnswerList({ rows, empty }) {
  if (!rows.length) return html`<p class="empty">${empty}</p>`;
  const open = (/** @type {any} */ x) => () => {
    store.dialog.value = null;
    if (x.digest) reopen(x.digest);
    else back();
  };
  return html`<ol class="answers">
    ${rows.map(
      (x) =>
        html`<li key=${x.uid ?? x.digest}>
          <button
            class="row"
            onClick=${open(x)}
            disabled=${x.action === "compare"}
            title=${x.action === "everywhere" ? "Take back" : "Open again"}
          >
            <span class=${`mark ${x.action}`} aria-label=${x.action}>${MARKS[x.action] ?? "·"}</span>
            <span class="what"
              ><span class="words" dir="auto">${x.text}</span
              ><span class="source"
                >${x.flagged && x.action !== "flag" ? "⚑ " : ""}${x.refused ? "refused: " : ""}${x.summary ||
                DONE[x.action] ||
                "nothing"}${x.note ? html` · <q dir="auto">${x.note}</q>` : null}</span
              ></span
            >
          </button>
        </li>`,
    )}
  </ol>`;
}

export function History() {
  return html`<section class="panel" aria-labelledby="history">
    <h2 id="history">
      Last answers ${store.session.value.compare ? null : html`<span class="keys"><${Cap} action="back" /></span>`}
    </h2>
    <${AnswerList} rows=${store.answers.value} empty="None yet." />
  </section>`;
}
