// What keys and buttons do, by name. Keys come in here and nowhere else.

import * as model from "./model.js";
import { isBlank } from "./lanes.js";
import { isComposing, namesOf } from "./keys.js";
import { back, finish, prefer } from "./flow.js";
import { openElsewhere } from "./elsewhere.js";
import { lineAway } from "./text.js";
import * as relating from "./relating.js";
import * as versions from "./versions.js";
import * as store from "./store.js";
import { say } from "./store.js";

/** @typedef {import("./model.js").Draft} Draft */

const ONCE = ["accept", "reject", "skip", "back"]; // a key that is held down does these only once

/** @param {(d: Draft) => Draft} change */
export function edit(change) {
  if (store.draft.value) store.draft.value = change(store.draft.value);
}

const visible = (/** @type {number} */ i) => !isBlank(store.draft.value?.screen.tokens[i]?.[0] ?? "");
const move =
  (/** @type {(d: Draft) => number} */ to, extend = false) =>
  () =>
    edit((d) => model.moveTo(d, to(d), extend, visible));
const boundary = (/** @type {"start"|"end"} */ edge, /** @type {number} */ by) => () =>
  edit((d) => model.moveBoundary(d, edge, by));
const step = (/** @type {number} */ by) => () => {
  edit((d) => model.step(d, by));
  announceActive();
};

/** @type {Object<string, () => void>} */
const ACTIONS = {
  accept: () => finish("accept"),
  reject: () => finish("reject"),
  skip: () => finish("skip"),
  back,
  next: step(1),
  previous: step(-1),
  delete: () => edit(model.remove),
  include: () => edit(model.include),
  undo: () => edit(model.undo),
  redo: () => edit(model.redo),
  flag: () => edit((d) => ({ ...d, flagged: !d.flagged })),
  note: () => open("note"),
  search: () => open("search"),
  labels: () => open("search", { labels: true }),
  relation: startRelation,
  reverse: () => edit(relating.reverse),
  everywhere: openElsewhere,
  left: move((d) => (d.active === null || d.anchor !== null ? d.cursor - 1 : d.cursor)),
  right: move((d) => (d.active === null || d.anchor !== null ? d.cursor + 1 : d.cursor)),
  up: move((d) => lineAway(d.cursor, -1)),
  down: move((d) => lineAway(d.cursor, 1)),
  "extend-left": move((d) => d.cursor - 1, true),
  "extend-right": move((d) => d.cursor + 1, true),
  "extend-up": move((d) => lineAway(d.cursor, -1), true),
  "extend-down": move((d) => lineAway(d.cursor, 1), true),
  first: move(() => 0),
  last: move((d) => d.screen.tokens.length - 1),
  "end-left": boundary("end", -1),
  "end-right": boundary("end", 1),
  "start-left": boundary("start", -1),
  "start-right": boundary("start", 1),
  clear: () => {
    store.offer.value = null;
    edit(model.clear);
  },
  copy,
  help: () => {
    store.dialog.value = { name: "help" };
  },
  guidelines: () => {
    store.guidelinesOpen.value = !store.guidelinesOpen.value;
  },
  evidence: () => {
    store.evidenceOpen.value = !store.evidenceOpen.value;
  },
  consistency: () => {
    store.view.value = store.view.value === "forms" ? "texts" : "forms";
  },
};

const ANYWHERE = ["help", "consistency"]; // they work without a text, too
const COMPARE = ["guidelines", "copy"]; // a preference is not taken back
const PREFER = /** @type {const} */ (["first", "second", "both", "neither"]);

/** @param {string} action @returns {boolean} whether there was something to do */
export function run(action) {
  const d = store.draft.value;
  if (store.view.value === "forms" && !ANYWHERE.includes(action)) return false;
  const slot = /^label-(\d+)$/.exec(action);
  if (d?.screen.kind === "compare" && !ANYWHERE.includes(action) && !COMPARE.includes(action)) {
    const choice = slot ? PREFER[Number(slot[1]) - 1] : undefined;
    if (choice) prefer(choice);
    return Boolean(choice);
  }
  const back_ = action === "back" && !store.session.value?.compare;
  if (!d && !back_ && !ANYWHERE.includes(action)) return false;
  if (slot) return useSlot(Number(slot[1]));
  ACTIONS[action]();
  return true;
}

/** @param {number} slot @returns {boolean} */
function useSlot(slot) {
  const choice = store.choices.value.get(slot);
  if (choice) choose(choice);
  return Boolean(choice);
}

/** Do what a label, a candidate or a version stands for. @param {import("./digits.js").Choice} choice */
export function choose(choice) {
  const d = store.draft.value;
  if (!d) return;
  if (choice.do === "category") edit((x) => model.toggleCategory(x, choice.task, choice.label));
  else if (choice.do === "relation") edit((x) => relating.setRelation(x, choice.task, choice.label));
  else if (choice.do === "link") edit((x) => model.setLink(x, choice.task, choice.id));
  else if (choice.do === "side") edit((x) => versions.choose(x, model.find(x, x.active)?.group ?? -1, choice.side));
  else {
    if (d.active === null && d.anchor === null)
      return say(`Choose words for ${choice.label}: arrow keys, or the pointer`);
    edit((x) => model.setLabel(x, choice.task, choice.label));
  }
  announceActive();
}

/** @param {string} name @param {Object<string, any>} [more] */
const open = (name, more = {}) => {
  store.dialog.value = { name, ...more };
};

function startRelation() {
  const d = store.draft.value;
  if (!d?.tasks.some((t) => t.kind === "relations")) return say("There is no task of relations here");
  if (d.head !== null && d.head === d.active) return say("Choose another mention: j, k or the pointer");
  edit(relating.startRelation);
  say("Relation: now the other mention (j, k), then a label");
}

async function copy() {
  const tokens = store.draft.value?.screen.tokens ?? [];
  const text = tokens.map((/** @type {[string, number]} */ [t, s]) => t + (s ? " " : "")).join("");
  await navigator.clipboard?.writeText(text).then(
    () => say("Text copied"),
    () => say("The browser did not allow it", true),
  );
}

/** For who listens: what is active, and where in the list it stands. */
function announceActive() {
  const [d, item] = [store.draft.value, store.active.value];
  if (!d || !item) return;
  const words = item.type === "span" ? `${model.wordsOf(d, item.start, item.end)}, ` : "";
  const score = item.score === null ? "" : `, ${item.score.toFixed(2)}`;
  const gone = { off: ", deleted", extra: ", perhaps missing", on: "" }[item.state];
  store.spoken.value = `${words}${item.label}${score}${gone}, ${d.items.indexOf(item) + 1} of ${d.items.length}`;
}

const FIELDS = ["INPUT", "TEXTAREA", "SELECT"];

/** @param {KeyboardEvent} event */
export function onKey(event) {
  if (isComposing(event) || store.dialog.value) return;
  const target = /** @type {HTMLElement} */ (event.target);
  const field =
    FIELDS.includes(target.tagName) && !["checkbox", "radio"].includes(/** @type {HTMLInputElement} */ (target).type);
  if (field || target.isContentEditable) return;
  const { actions } = store.bindings.value;
  const action = namesOf(event)
    .map((n) => actions.get(n))
    .find(Boolean);
  if (!action) return;
  // A button that was reached by Tab is pressed by the keys of buttons.
  if ((event.key === "Enter" || event.key === " ") && target.closest("button, a, summary, input")) return;
  if (event.repeat && ONCE.includes(action)) return void event.preventDefault();
  if (run(action)) event.preventDefault();
}

/** After a click the keyboard belongs to the text again; a button pressed by key keeps it. @param {MouseEvent} event */
export function onClick(event) {
  const target = /** @type {HTMLElement} */ (event.target);
  const button = /** @type {HTMLElement|null} */ (target.closest("button, summary"));
  if (button && event.detail > 0) button.blur();
}
