// The top of the page: how far, how fast, and whether everything is saved.

import { html } from "./vendor/preact.js";
import { outbox } from "./flow.js";
import { Cap, shown } from "./parts.js";
import { run } from "./actions.js";
import * as store from "./store.js";

function Saved() {
  const [{ state, message }, n] = [store.net.value, store.pending.value];
  const words = {
    saved: "saved",
    saving: `saving ${n}…`,
    offline: `offline – ${n} unsaved`,
    "signed-out": `signed out – ${n} unsaved`,
    failing: `not saved – ${n} waiting`,
  }[n ? state : "saved"];
  const calm = !n || state === "saving" || state === "saved";
  return html`<span id="saved" class=${`saved ${calm ? "calm" : "bad"}`} role="status" title=${message}>
    <i aria-hidden="true" />${words}
    ${calm ? null : html`<button class="link" onClick=${() => outbox.retry()}>try again</button>`}
  </span>`;
}

function Progress() {
  const p = store.progress.value;
  if (!p) return null;
  const blind = p.gold_total ? `, ${p.gold_done} of ${p.gold_total} blind` : "";
  return html`<div class="progress" title=${`${p.left} left${blind}; ${p.mine} by you`}>
    <progress max=${p.total || 1} value=${p.done} aria-label="Texts decided" />
    <span><b>${p.done}</b> of ${p.total}</span>
  </div>`;
}

function Pace() {
  const c = store.clock.value;
  if (!c?.decisions || !c.per_hour) return null;
  return html`<span class="pace" title="Your texts per hour, and your median time for one">
    ${Math.round(c.per_hour ?? 0)}/h · ${shown(c.seconds_median, " s")}</span
  >`;
}

export function Header() {
  const s = store.session.value;
  const p = store.progress.value;
  const open = (/** @type {string} */ name) => () => {
    store.dialog.value = { name };
  };
  return html`<header class="top">
    <h1>${s.project}</h1>
    <${Progress} />
    <${Saved} />
    <${Pace} />
    <span class="who" title="You">${s.annotator}</span>
    <nav aria-label="Session">
      ${s.compare
        ? null
        : html`<button class="plain" onClick=${() => run("consistency")} aria-pressed=${store.view.value === "forms"}>
            Forms <${Cap} action="consistency" />
          </button>`}
      <button class="plain" onClick=${open("flagged")}>Put aside${p?.flagged ? ` (${p.flagged})` : ""}</button>
      <button class="plain" onClick=${open("help")}>Keys <${Cap} action="help" /></button>
      ${s.can_finish === false ? null : html`<button class="plain" onClick=${open("finish")}>Finish</button>`}
    </nav>
  </header>`;
}

export function Footer() {
  const d = store.draft.value;
  const button = (/** @type {string} */ action, /** @type {string} */ name, off = !d) =>
    html`<button class=${`big ${action}`} disabled=${off} onClick=${() => run(action)}>
      ${name} <${Cap} action=${action} />
    </button>`;
  return html`<footer class="bottom">
    <div>
      ${button("back", "Back", false)} ${button("skip", d?.flagged ? "Put aside" : "Skip", !d)}
      ${button("reject", "Reject")} ${button("accept", "Accept")}
    </div>
  </footer>`;
}
