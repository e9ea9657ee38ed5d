// What a person is doing to one text, as plain values. Every function takes a Draft and returns a
// new one; nothing here knows of the page, the server or the clock.

/**
 * @typedef {{id: string|null, score: number|null, source: string|null}} Link
 *
 * One thing that is said about the text.
 * @typedef {Object} Item
 * @property {number} key            identity, stable over edits and undo
 * @property {string} task
 * @property {"span"|"cat"|"relation"} type
 * @property {string} label
 * @property {number} start          first token (spans)
 * @property {number} end            token after the last (spans)
 * @property {number} head           key of a span (relations)
 * @property {number} tail           key of a span (relations)
 * @property {Object<string, Link>} links   catalog ids by linking task (spans)
 * @property {number|null} score
 * @property {string|null} source
 * @property {"on"|"off"|"extra"} state     "extra": offered, not part of the answer
 * @property {Item|null} shown       as it was shown, null if a person added it
 * @property {boolean} fixed         neither moved nor deleted: a mention of another task
 * @property {string} side           "A" or "B" while two versions disagree
 * @property {number} group          which disagreement it belongs to, -1 for none
 *
 * @typedef {Object} TaskInfo
 * @property {string} name
 * @property {"ner"|"spancat"|"textcat"|"linking"|"relations"} kind
 * @property {string[]} labels
 * @property {Object<string, string>} definitions
 * @property {boolean} exclusive
 * @property {string|null} mention_task
 * @property {Object<string, string[][]>|null} allowed
 * @property {string} guidelines
 * @property {string|null} one_label
 *
 * @typedef {{items: Item[], active: number|null}} Snapshot
 *
 * @typedef {Object} Draft
 * @property {any} screen            what the server sent
 * @property {TaskInfo[]} tasks      those of the screen, in the order of the session
 * @property {Item[]} items          least certain first, added ones at the end
 * @property {number|null} active    key of the active item
 * @property {number} cursor         token
 * @property {number|null} anchor    other end of the selection, null if nothing is selected
 * @property {number|null} head      key of the head while a relation is being made
 * @property {Snapshot[]} past
 * @property {Snapshot[]} future
 * @property {number} nextKey
 * @property {boolean} flagged
 * @property {string} note
 */

/** @param {Draft} draft @param {number|null} key @returns {Item|undefined} */
export const find = (draft, key) => draft.items.find((i) => i.key === key);
/** @param {Draft} draft @param {string} name @returns {TaskInfo} */
export const taskOf = (draft, name) => /** @type {TaskInfo} */ (draft.tasks.find((t) => t.name === name));
/** @param {Draft} draft */
export const spansOf = (draft) => draft.items.filter((i) => i.type === "span");
/** The linking tasks whose ids a span carries. @param {Draft} draft @param {Item} item */
export const linkTasks = (draft, item) =>
  draft.tasks.filter((t) => t.kind === "linking" && item.type === "span" && (t.mention_task || t.name) === item.task);

/** @param {Draft} draft @returns {{start: number, end: number}|null} the selected tokens */
export function selection(draft) {
  if (draft.anchor === null) return null;
  return { start: Math.min(draft.anchor, draft.cursor), end: Math.max(draft.anchor, draft.cursor) + 1 };
}

const overlaps = (/** @type {Item} */ a, /** @type {{start: number, end: number}} */ b) =>
  a.start < b.end && b.start < a.end;

/** A change that can be undone. @param {Draft} draft @param {Item[]} items @param {Partial<Draft>} rest @returns {Draft} */
export function edited(draft, items, rest = {}) {
  const past = [...draft.past, { items: draft.items, active: draft.active }];
  return { ...draft, items, anchor: null, head: null, ...rest, past, future: [] };
}

/** @param {Item[]} items @param {Item} item */
export const put = (items, item) => items.map((i) => (i.key === item.key ? item : i));

/** Off if it was shown (it can come back), gone if it was added here. @param {Item[]} items @param {Item} item */
const drop = (items, item) =>
  item.shown ? put(items, { ...item, state: "off" }) : items.filter((i) => i.key !== item.key);

/** Entities of one task do not overlap: what the new one covers goes. @param {Draft} draft @param {Item[]} items @param {Item} item */
function makeRoom(draft, items, item) {
  const { kind } = taskOf(draft, item.task);
  for (const other of items) {
    if (other.key === item.key || other.task !== item.task || other.type !== "span" || other.state !== "on") continue;
    const same = other.start === item.start && other.end === item.end && other.label === item.label;
    if ((kind === "ner" && overlaps(other, item)) || same) items = drop(items, other);
  }
  return items;
}

/** @param {Draft} draft @param {Partial<Item>} values @returns {Item} */
export function newItem(draft, values) {
  return {
    key: draft.nextKey,
    task: "",
    type: "span",
    label: "",
    start: 0,
    end: 0,
    head: -1,
    tail: -1,
    links: {},
    score: null,
    source: null,
    state: "on",
    shown: null,
    fixed: false,
    side: "",
    group: -1,
    ...values,
  };
}

/** @param {Draft} draft @param {number} anchor @param {number} cursor @returns {Draft} */
export const select = (draft, anchor, cursor) => ({ ...draft, anchor, cursor, active: null, head: null });

/** @param {Draft} draft @returns {Draft} */
export const clear = (draft) => ({ ...draft, anchor: null, active: null, head: null });

/** @param {Draft} draft @param {number|null} key @returns {Draft} */
export function activate(draft, key) {
  const item = find(draft, key);
  if (!item) return { ...draft, active: null };
  const place = item.type === "relation" ? find(draft, item.head) : item;
  const cursor = place && place.type === "span" ? place.start : draft.cursor;
  return { ...draft, active: key, anchor: null, cursor };
}

/** The suggestion after or before the active one, round the end. @param {Draft} draft @param {number} by @returns {Draft} */
export function step(draft, by) {
  const mentions = draft.items.filter((i) => i.type === "span" && i.state === "on");
  // A disagreement is one stop, not one for each of its sides.
  const stops = draft.items.filter((i, n) => i.group < 0 || draft.items.findIndex((o) => o.group === i.group) === n);
  const items = draft.head === null ? stops : mentions;
  if (!items.length) return draft;
  const group = find(draft, draft.active)?.group ?? -1;
  const at = items.findIndex((i) => i.key === draft.active || (group >= 0 && i.group === group));
  const next = at < 0 ? (by > 0 ? 0 : items.length - 1) : (at + by + items.length) % items.length;
  return activate(draft, items[next].key);
}

/** Move the cursor over visible tokens. @param {Draft} draft @param {number} to @param {boolean} extend @param {(i: number) => boolean} visible @returns {Draft} */
export function moveTo(draft, to, extend, visible) {
  const last = draft.screen.tokens.length - 1;
  const by = to < draft.cursor ? -1 : 1;
  let at = Math.max(0, Math.min(last, to));
  while (!extend && at > 0 && at < last && !visible(at)) at += by;
  return { ...draft, cursor: at, anchor: extend ? (draft.anchor ?? draft.cursor) : at, active: null, head: null };
}

/** Give a label to the selection, or to the active span. @param {Draft} draft @param {string} task @param {string} label @returns {Draft} */
export function setLabel(draft, task, label) {
  const item = find(draft, draft.active);
  const chosen = selection(draft);
  if (chosen || (item && item.type === "span" && item.task !== task)) {
    const place = chosen || /** @type {Item} */ (item);
    return addSpan(draft, task, label, place.start, place.end);
  }
  if (!item || item.type !== "span" || item.fixed) return draft;
  if (item.label === label && item.state === "on") return draft;
  const changed = { ...item, label, state: /** @type {const} */ ("on") };
  return edited(draft, makeRoom(draft, put(draft.items, changed), changed));
}

/** @param {Draft} draft @param {string} task @param {string} label @param {number} start @param {number} end @returns {Draft} */
function addSpan(draft, task, label, start, end) {
  const whole = taskOf(draft, task).kind === "ner";
  const same = draft.items.find(
    (i) => i.type === "span" && i.task === task && i.start === start && i.end === end && (whole || i.label === label),
  );
  if (same && same.state === "on" && same.label === label) return activate(draft, same.key);
  const links = Object.fromEntries(
    draft.tasks
      .filter((t) => t.mention_task === task && t.kind === "linking")
      .map((t) => [t.name, knownLink(draft, t.name, start, end)]),
  );
  const item = same
    ? { ...same, label, state: /** @type {const} */ ("on") }
    : newItem(draft, { task, label, start, end, links });
  const items = same ? put(draft.items, item) : [...draft.items, item];
  return edited(draft, makeRoom(draft, items, item), { active: item.key, nextKey: draft.nextKey + 1, cursor: start });
}

/** The id that the same words carry elsewhere in this text. @param {Draft} draft @param {string} task @param {number} start @param {number} end @returns {Link} */
function knownLink(draft, task, start, end) {
  const form = wordsOf(draft, start, end);
  const other = draft.items.find(
    (i) => i.state === "on" && i.links[task]?.id && wordsOf(draft, i.start, i.end) === form,
  );
  return { id: other ? other.links[task].id : null, score: null, source: null };
}

/** @param {Draft} draft @param {number} start @param {number} end */
export const wordsOf = (draft, start, end) =>
  draft.screen.tokens
    .slice(start, end)
    .map(
      (/** @type {[string, number]} */ t, /** @type {number} */ i) => t[0] + (t[1] && start + i < end - 1 ? " " : ""),
    )
    .join("");

/** Set or unset a category. @param {Draft} draft @param {string} task @param {string} label @returns {Draft} */
export function toggleCategory(draft, task, label) {
  const { exclusive } = taskOf(draft, task);
  const item = draft.items.find((i) => i.type === "cat" && i.task === task && i.label === label);
  let items = draft.items;
  if (item && item.state === "on") return exclusive ? draft : edited(draft, drop(items, item));
  if (exclusive) {
    for (const other of items)
      if (other.type === "cat" && other.task === task && other.state === "on") items = drop(items, other);
  }
  if (item) return edited(draft, put(items, { ...item, state: "on" }), { active: draft.active });
  return edited(draft, [...items, newItem(draft, { task, type: "cat", label })], { nextKey: draft.nextKey + 1 });
}

/** Delete the active item; an item that is off or offered comes in. @param {Draft} draft @returns {Draft} */
export function remove(draft) {
  const item = find(draft, draft.active);
  if (!item || item.fixed) return draft;
  if (item.state === "off") return include(draft);
  if (item.state === "extra")
    return edited(draft, put(draft.items, { ...item, state: "off" }), { active: neighbour(draft, item) });
  return edited(draft, drop(draft.items, item), { active: neighbour(draft, item) });
}

/** @param {Draft} draft @param {Item} item @returns {number|null} the item after it, else the one before */
function neighbour(draft, item) {
  const at = draft.items.findIndex((i) => i.key === item.key);
  const rest = [...draft.items.slice(at + 1), ...draft.items.slice(0, at).reverse()];
  return rest.find((i) => i.state !== "off")?.key ?? (item.shown ? item.key : null);
}

/** Take the active item in: offered, or deleted before. @param {Draft} draft @returns {Draft} */
export function include(draft) {
  const item = find(draft, draft.active);
  if (!item || item.state === "on") return draft;
  if (item.type === "cat") return toggleCategory(draft, item.task, item.label);
  const changed = { ...item, state: /** @type {const} */ ("on") };
  const items = put(draft.items, changed);
  return edited(draft, item.type === "span" ? makeRoom(draft, items, changed) : items);
}

/** Move a boundary of the active span by tokens; it stops at its neighbours. @param {Draft} draft @param {"start"|"end"} edge @param {number} by @returns {Draft} */
export function moveBoundary(draft, edge, by) {
  const item = find(draft, draft.active);
  if (!item || item.type !== "span" || item.fixed) return draft;
  const changed = { ...item, [edge]: item[edge] + by, state: /** @type {const} */ ("on") };
  if (changed.start < 0 || changed.end > draft.screen.tokens.length || changed.start >= changed.end) return draft;
  const { kind } = taskOf(draft, item.task);
  const twin = (/** @type {Item} */ i) =>
    i.start === changed.start && i.end === changed.end && i.label === changed.label;
  const blocked = draft.items.some(
    (i) =>
      i.key !== item.key &&
      i.task === item.task &&
      i.type === "span" &&
      i.state === "on" &&
      (kind === "ner" ? overlaps(i, changed) : twin(i)),
  );
  return blocked
    ? draft
    : edited(draft, put(draft.items, changed), { cursor: edge === "end" ? changed.end - 1 : changed.start });
}

/** @param {Draft} draft @param {string} task a linking task @param {string} id @returns {Draft} */
export function setLink(draft, task, id) {
  const item = find(draft, draft.active);
  if (!item || !(task in item.links) || (item.links[task].id === id && item.state === "on")) return draft;
  const links = { ...item.links, [task]: { id, score: null, source: null } };
  const changed = { ...item, links, state: /** @type {const} */ ("on") };
  return edited(draft, makeRoom(draft, put(draft.items, changed), changed));
}

/** @param {Draft} draft @returns {Draft} */
export function undo(draft) {
  const last = draft.past.at(-1);
  if (!last) return draft;
  const future = [...draft.future, { items: draft.items, active: draft.active }];
  return { ...draft, ...last, anchor: null, head: null, past: draft.past.slice(0, -1), future };
}

/** @param {Draft} draft @returns {Draft} */
export function redo(draft) {
  const next = draft.future.at(-1);
  if (!next) return draft;
  const past = [...draft.past, { items: draft.items, active: draft.active }];
  return { ...draft, ...next, anchor: null, head: null, past, future: draft.future.slice(0, -1) };
}
