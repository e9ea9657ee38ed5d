// What a person must know about this text, or about why there is none.

import { html } from "./vendor/preact.js";
import { edit } from "./actions.js";
import { Cap } from "./parts.js";
import * as store from "./store.js";

/** @typedef {import("./model.js").Draft} Draft */

const MODES = /** @type {Object<string, string>} */ ({
  blind: "blind",
  calibration: "calibration",
  routed: "chosen",
  random: "random",
  recall: "what is missing?",
  consistency: "consistency",
  "one label": "one label",
  adjudication: "two versions",
  recheck: "decided, but doubtful",
  propagated: "propagated",
  bulk: "bulk",
  reopened: "opened again",
});

/** @param {{d: Draft}} props */
export function Why({ d }) {
  const { mode, why = "", kind, rows = [] } = d.screen;
  const name = kind === "compare" ? "which is better?" : (MODES[mode] ?? mode);
  const pass = d.tasks.find((t) => t.one_label)?.one_label;
  const where = rows
    .map((/** @type {any} */ r) =>
      [r.id, ...Object.values(r.meta ?? {}).filter((v) => ["string", "number"].includes(typeof v))].join(" · "),
    )
    .slice(0, 1);
  return html`<div class="why" id="why">
      <span class=${`mode ${mode === "blind" || mode === "calibration" ? "blind" : ""}`}
        >${pass ? `only ${pass}` : name}</span
      >
      <span class="reason">${why.startsWith(`${mode}: `) ? why.slice(mode.length + 2) : why}</span>
      <span class="source" dir="auto">${where}</span>
      ${kind === "compare"
        ? null
        : html`<span class="tools">
            <button
              class="plain"
              aria-pressed=${d.flagged}
              onClick=${() => edit((x) => ({ ...x, flagged: !x.flagged }))}
            >
              ${d.flagged ? "⚑ flagged" : "flag"} <${Cap} action="flag" />
            </button>
            <button
              class="plain"
              onClick=${() => {
                store.dialog.value = { name: "note" };
              }}
            >
              ${d.note ? "note ✎" : "note"} <${Cap} action="note" /></button
          ></span>`}
    </div>
    ${d.note ? html`<p class="note" dir="auto">${d.note}</p>` : null}`;
}

const STATUS = /** @type {Object<string, string>} */ ({
  refused: "the model refused to answer",
  malformed: "the model’s answer could not be read",
  unaligned: "a part of the model’s answer is not in the text",
  truncated: "the model’s answer was cut off",
  failed: "the model could not be asked",
});

/** @param {{d: Draft}} props */
export function Problems({ d }) {
  const lines = d.tasks.flatMap((t) => {
    const { status, problems = [], snapped = [] } = d.screen.tasks[t.name] ?? {};
    const what = [...problems.map((/** @type {any} */ p) => `${p.kind.replaceAll("_", " ")}: ${p.detail}`), ...snapped];
    return status in STATUS || what.length ? [{ name: t.name, status: STATUS[status] ?? "", what }] : [];
  });
  if (!lines.length || d.screen.blind) return null;
  return html`<aside class="problems" aria-label="What could not be used">
    ${lines.map(
      (l) =>
        html`<p key=${l.name}><b>${l.name}</b>: ${l.status}</p>
          ${l.what.length
            ? html`<ul>
                ${l.what.map((w) => html`<li dir="auto">${w}</li>`)}
              </ul>`
            : null}`,
    )}
  </aside>`;
}

const GENTLE = 50; // answers before a share says anything

export function Banners() {
  const { calibration: c } = store.session.value;
  const share = store.clock.value?.untouched_share;
  const refused = store.refusals.value.length;
  const { state, message } = store.net.value;
  const rushed = share > 0.95 && store.clock.value.decisions >= GENTLE;
  return html` ${c && !c.open
    ? html`<p class="banner">
        <b>Calibration</b> ${Math.min(c.done, c.texts)} of ${c.texts} texts that everybody answers first.
        ${c.agreement === null ? "" : ` Agreement ${c.agreement.toFixed(2)}; the queue opens at ${c.floor.toFixed(2)}.`}
      </p>`
    : null}
  ${refused
    ? html`<p class="banner bad">
        <b>${refused} ${refused === 1 ? "answer was" : "answers were"} refused</b> and not stored.
        <button
          onClick=${() => {
            store.dialog.value = { name: "refusals" };
          }}
        >
          Look
        </button>
      </p>`
    : null}
  ${state === "signed-out"
    ? html`<p class="banner bad">
        <b>You are signed out.</b> Open your link again, in this browser: your ${store.pending.value} unsaved answers
        are kept.
      </p>`
    : null}
  ${state === "failing"
    ? html`<p class="banner bad">
        <b>The server can’t store answers now.</b> ${message} Yours are kept here and sent again.
      </p>`
    : null}
  ${rushed
    ? html`<p class="banner">
        ${Math.round(share * 100)}% of your answers leave everything as it was shown. That may be right; a slower look
        at the next ones tells.
      </p>`
    : null}`;
}

const PLACES = /** @type {Object<string, [string, string]>} */ ({
  loading: ["", "Loading…"],
  saving: ["", "Saving…"],
  empty: ["Nothing is left for you", "Every text of your queue is answered. Thank you."],
  waiting: [
    "Waiting for the others",
    "The texts that are left are open on other screens. This page looks again by itself.",
  ],
  calibrating: [
    "Calibration is done here",
    "The queue opens when everybody has answered the same texts and the answers agree well enough.",
  ],
  offline: [
    "The server can’t be reached",
    "Every text that was loaded is answered. The page tries again by itself, and sends what is not saved.",
  ],
  failing: ["The server has a problem", "The page tries again by itself."],
  "signed-out": [
    "You are signed out",
    "Open the link that was printed for you when the server was started. What is not saved is kept in this browser.",
  ],
  finished: ["The session is finished", "The server has ended and the project goes on. You can close this page."],
});

export function Place() {
  const { name, message } = store.state.value;
  const [title, words] = PLACES[name] ?? PLACES.loading;
  const n = store.pending.value;
  const done = name === "empty" && store.session.value?.can_finish !== false;
  return html`<section class="place" role="status">
    ${title ? html`<h2>${title}</h2>` : null}
    <p>${message && name !== "signed-out" ? message : words}</p>
    ${n && name !== "saving"
      ? html`<p class="warn">${n} ${n === 1 ? "answer is" : "answers are"} not saved yet, and kept in this browser.</p>`
      : null}
    ${done
      ? html`<p class="buttons">
          <button
            class="plain"
            onClick=${() => {
              store.dialog.value = { name: "flagged" };
            }}
          >
            What was put aside
          </button>
          <button
            class="big accept"
            onClick=${() => {
              store.dialog.value = { name: "finish" };
            }}
          >
            Finish the session
          </button>
        </p>`
      : null}
  </section>`;
}
