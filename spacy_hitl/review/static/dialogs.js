// Everything that asks before it goes on: help, notes, places elsewhere, refused answers, the end.

import { html, useEffect, useState } from "./vendor/preact.js";
import { get } from "./api.js";
import { edit } from "./actions.js";
import { applyElsewhere } from "./elsewhere.js";
import { finishSession, putAway, reopen, rememberGroup } from "./flow.js";
import { cap } from "./keys.js";
import { Dialog } from "./parts.js";
import { Search } from "./search.js";
import { AnswerList } from "./side.js";
import * as store from "./store.js";

const HELP = [
  [
    "Decide",
    [
      ["accept", "accept what is shown, next text"],
      ["reject", "reject: the text has no usable annotation"],
      ["skip", "skip: it comes back at the end"],
      ["back", "take the last answer back"],
      ["flag", "flag: then skip puts it aside"],
      ["note", "write a note"],
    ],
  ],
  [
    "Correct",
    [
      ["next", "next suggestion"],
      ["previous", "previous suggestion"],
      [
        "label-1",
        "first label (2, 3, … 0 the others; with Shift 11 to 20): relabel, label what is selected, or set a category",
      ],
      ["delete", "delete, or bring back"],
      ["include", "add what is perhaps missing"],
      ["undo", "undo inside the text"],
      ["redo", "redo"],
    ],
  ],
  [
    "Select",
    [
      ["right", "next token (with Shift: extend)"],
      ["left", "previous token"],
      ["down", "line below"],
      ["up", "line above"],
      ["end-right", "move the end of the active span"],
      ["start-left", "move its start"],
      ["clear", "nothing selected"],
    ],
  ],
  [
    "More",
    [
      ["search", "search the catalog, or the labels"],
      ["labels", "search the labels"],
      ["relation", "new relation: head, other mention, label"],
      ["reverse", "turn a relation round"],
      ["everywhere", "the same words in all texts"],
      ["consistency", "forms that are not decided alike"],
      ["guidelines", "guidelines"],
      ["evidence", "prompt and raw answer"],
      ["copy", "copy the text"],
      ["help", "this help"],
    ],
  ],
];

function Help() {
  const { keys } = store.bindings.value;
  const given = store.session.value.single_letter_keys === false;
  const names = (/** @type {string} */ action) => keys[action].map((n, i) => html`${i ? " " : ""}<kbd>${cap(n)}</kbd>`);
  return html`<${Dialog} title="Keys" wide=${true} calm=${true}>
    <div class="helps">${HELP.map(
      ([title, rows]) =>
        html`<section key=${title}>
          <h3>${title}</h3>
          <dl>
            ${
              /** @type {string[][]} */ (rows).map(
                ([action, words]) =>
                  html` <div key=${action}>
                    <dt>${names(action)}</dt>
                    <dd>${words}</dd>
                  </div>`,
              )
            }
          </dl>
        </section>`,
    )}</div>
    <label class="check"><input type="checkbox" checked=${store.singles.value} disabled=${given} onChange=${(/** @type {any} */ e) => store.useSingles(e.target.checked)} />
      Single letters and digits work without a modifier (off: with Alt)</label>
  </${Dialog}>`;
}

function Note() {
  const d = store.draft.value;
  const [text, setText] = useState(d?.note ?? "");
  const save = (/** @type {Event} */ e) => {
    e.preventDefault();
    edit((x) => ({ ...x, note: text }));
    store.dialog.value = null;
  };
  const onKey = (/** @type {KeyboardEvent} */ e) => {
    if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) save(e);
  };
  return html`<${Dialog} title="Note"><form onSubmit=${save}>
    <textarea autofocus rows="4" maxlength="2000" aria-label="Note" value=${text} onInput=${(/** @type {any} */ e) => setText(e.target.value)} onKeyDown=${onKey} />
    <p class="buttons"><span class="source">${text.length} of 2,000 · Ctrl+⏎ keeps it</span><button class="big accept">Keep</button></p></form></${Dialog}>`;
}

function Flagged() {
  const [rows, setRows] = useState(/** @type {any[]|null} */ (null));
  useEffect(() => {
    get("/api/flagged").then(
      (v) => setRows(v.answers),
      () => setRows([]),
    );
  }, []);
  return html`<${Dialog} title="Put aside, or flagged" calm=${true}>${rows ? html`<${AnswerList} rows=${rows} empty="Nothing is put aside." />` : html`<p>Loading…</p>`}</${Dialog}>`;
}

/** @param {{what: any}} props */
function Elsewhere({ what }) {
  const places = what.occurrences.filter((/** @type {any} */ o) => o.differs);
  const [no, setNo] = useState(/** @type {string[]} */ ([]));
  const [busy, setBusy] = useState(false);
  const ids = places
    .filter((/** @type {any} */ o) => !o.blocked && !no.includes(o.id))
    .map((/** @type {any} */ o) => o.id);
  const to = what.label ?? "no label";
  const apply = async (/** @type {Event} */ e) => {
    e.preventDefault();
    if (!ids.length || busy) return;
    setBusy(true);
    const done = await applyElsewhere(what, ids);
    setBusy(false);
    if (!done) return;
    rememberGroup(done.uid, `“${what.form}” → ${to}`, `in ${done.saved} ${done.saved === 1 ? "text" : "texts"}`);
    store.dialog.value = null;
  };
  const toggle = (/** @type {string} */ id) => () => setNo(no.includes(id) ? no.filter((x) => x !== id) : [...no, id]);
  const onKey = (/** @type {KeyboardEvent} */ e) => {
    const by = { ArrowDown: 1, ArrowUp: -1, j: 1, k: -1 }[e.key];
    const boxes = [.../** @type {HTMLElement} */ (e.currentTarget).querySelectorAll("input:not(:disabled)")];
    if (by)
      /** @type {HTMLElement} */ (
        boxes[(boxes.indexOf(/** @type {any} */ (document.activeElement)) + by + boxes.length) % boxes.length]
      )?.focus();
    if (e.key === "Enter") apply(e);
    if (by) e.preventDefault();
  };
  const unchanged = what.occurrences.length - places.length;
  return html`<${Dialog} title=${`“${what.form}” → ${to}`} wide=${true}><form onSubmit=${apply} onKeyDown=${onKey}>
    <p>${places.length ? "Take the tick away where it is something else. One Backspace takes all of it back." : "It is decided like this everywhere."}</p>
    <ul class="places">${places.map(
      (/** @type {any} */ o, /** @type {number} */ i) =>
        html`<li key=${o.id}>
          <label class=${o.blocked ? "blocked" : ""}>
            <input
              type="checkbox"
              autofocus=${i === 0}
              checked=${!o.blocked && !no.includes(o.id)}
              disabled=${Boolean(o.blocked)}
              onChange=${toggle(o.id)}
            />
            <span dir="auto" class="context">${o.before}<mark>${o.match}</mark>${o.after}</span>
            <span class="source"
              >${o.blocked ? o.blocked : `now: ${o.now ?? "no label"}`}${o.decided ? ", decided" : ""}</span
            ></label
          >
        </li>`,
    )}</ul>
    <p class="buttons"><span class="source">${unchanged ? `${unchanged} more are like this already. ` : ""}${what.more ? `${what.more} more are not listed: open this again after it.` : ""}</span>
      <button class="big accept" disabled=${!ids.length || busy}>${ids.length === 1 ? "Change 1 place" : `Change ${ids.length} places`} <kbd>⏎</kbd></button></p>
  </form></${Dialog}>`;
}

function Refusals() {
  const rows = store.refusals.value;
  const open = (/** @type {any} */ r) => () => {
    putAway(r.entry.uid);
    store.dialog.value = null;
    reopen(r.entry.body.digest);
  };
  return html`<${Dialog} title="Answers that were refused" calm=${true}><p>Nothing of them is stored. Open the text and answer again, or forget the answer.</p>
    <ul class="refusals">${rows.map(
      (r) =>
        html`<li key=${r.entry.uid}>
          <span class="words" dir="auto">${r.entry.text}</span><em>${r.message}</em>
          <span
            ><button onClick=${open(r)}>Open the text</button>
            <button class="plain" onClick=${() => putAway(r.entry.uid)}>Forget it</button></span
          >
        </li>`,
    )}</ul>
    ${rows.length ? null : html`<p class="empty">None.</p>`}</${Dialog}>`;
}

function Finish() {
  const n = store.pending.value;
  const p = store.progress.value;
  return html`<${Dialog} title="Finish the session?"><p>The server ends, for everybody, and the project goes on with what is decided. ${p ? `${p.left} of ${p.total} texts are left; they stay for the next session.` : ""}</p>
    ${n ? html`<p class="warn">${n} answers are not saved yet. Wait for them, or they stay in this browser until the next session.</p>` : null}
    <p class="buttons"><button class="plain" onClick=${() => {
      store.dialog.value = null;
    }}>Go on reviewing</button><button class="big reject" autofocus onClick=${finishSession}>Finish</button></p></${Dialog}>`;
}

export function Dialogs() {
  const what = store.dialog.value;
  if (!what) return null;
  if (what.name === "help") return html`<${Help} />`;
  if (what.name === "note") return html`<${Note} />`;
  if (what.name === "flagged") return html`<${Flagged} />`;
  if (what.name === "elsewhere") return html`<${Elsewhere} what=${what} />`;
  if (what.name === "refusals") return html`<${Refusals} />`;
  if (what.name === "finish") return html`<${Finish} />`;
  return html`<${Search} labels=${Boolean(what.labels)} />`;
}
