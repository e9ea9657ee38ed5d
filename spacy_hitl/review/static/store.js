// The state of the page. Everything that is shown is computed from these signals.

import { computed, signal } from "./vendor/preact.js";
import { bind } from "./keys.js";
import { find, linkTasks, wordsOf } from "./model.js";
import { context, slots } from "./digits.js";
import { local } from "./storage.js";

/** @typedef {import("./model.js").Draft} Draft */
/** @typedef {{id: string, name: string, description?: string, aliases?: string[]}} Candidate */

export const session = signal(/** @type {any} */ (null));
export const draft = signal(/** @type {Draft|null} */ (null));
export const line = signal(/** @type {Draft[]} */ ([])); // texts that wait, the next one first
/** What is in front: a text, or why there is none. */
export const state = signal({ name: "loading", message: "" });
export const net = signal(/** @type {import("./outbox.js").Net} */ ({ state: "saved", message: "" }));
export const pending = signal(0); // answers the server has not acknowledged
export const answered = signal(0); // in this tab
export const progress = signal(/** @type {any} */ (null));
export const clock = signal(/** @type {any} */ (null));
export const answers = signal(/** @type {any[]} */ ([])); // the last ten, newest first
export const refusals = signal(/** @type {any[]} */ ([]));
export const dialog = signal(/** @type {{name: string, [more: string]: any}|null} */ (null));
export const offer = signal(/** @type {any} */ (null)); // the same correction, elsewhere
export const notice = signal({ text: "", bad: false, n: 0 }); // said once, and shown for a while
export const spoken = signal(""); // for who listens only
export const evidenceOpen = signal(false);
export const guidelinesOpen = signal(false);
export const view = signal(/** @type {"texts"|"forms"} */ ("texts"));
export const entries = signal(/** @type {Map<string, Candidate[]>} */ (new Map())); // by task and words

const singlesWanted = signal(local.get("hitl-singles") ?? true);
/** Key names are those of the config, unless a person turned single letters off here. */
export const bindings = computed(() => bind(session.value?.keys ?? {}, singles.value));
export const singles = computed(() => singlesWanted.value && session.value?.single_letter_keys !== false);
/** @param {boolean} on */
export function useSingles(on) {
  local.set("hitl-singles", on);
  singlesWanted.value = on;
}

export const active = computed(() => (draft.value ? find(draft.value, draft.value.active) : undefined));
/** The entries offered for the active mention. */
export const candidates = computed(() => {
  const [d, item] = [draft.value, active.value];
  const task = d && item ? linkTasks(d, item)[0] : undefined;
  return d && item && task ? candidatesOf(d, item, task.name) : [];
});
export const choices = computed(() => (draft.value ? slots(draft.value, candidates.value) : new Map()));
export const now = computed(() => (draft.value ? context(draft.value) : "labels"));

/** @param {Draft} d @param {import("./model.js").Item} item @param {string} task @returns {Candidate[]} */
export function candidatesOf(d, item, task) {
  const given = d.screen.tasks[task]?.candidates?.[`${item.start}-${item.end}`];
  return given ?? entries.value.get(`${task}\n${wordsOf(d, item.start, item.end)}`) ?? [];
}

/** @param {Draft} d @param {string} task @param {string} id @returns {string} what an entry is called */
export function nameOf(d, task, id) {
  if (id === "NIL") return "not in the catalog";
  const given = Object.values(d.screen.tasks[task]?.candidates ?? {}).flat();
  const all = /** @type {Candidate[]} */ ([...given, ...[...entries.value.values()].flat()]);
  return all.find((c) => c.id === id)?.name ?? id;
}

/** @param {string} text @param {boolean} bad */
export function say(text, bad = false) {
  notice.value = { text, bad, n: notice.value.n + 1 };
}
