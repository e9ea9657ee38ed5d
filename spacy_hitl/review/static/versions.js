// Two people's versions of one text: where they differ, and what becomes of each difference. Pure.

import { edited, find, taskOf } from "./model.js";

/** @typedef {import("./model.js").Draft} Draft */
/** @typedef {import("./model.js").Item} Item */

const byPlace = (/** @type {Item} */ a, /** @type {Item} */ b) => a.start - b.start || b.end - a.end;

/** What both versions say is on; what one of them says is offered. @param {Draft} draft with the items of both @returns {Draft} */
export function join(draft) {
  const twin = (/** @type {Item} */ a) => draft.items.find((b) => b.side !== a.side && same(draft, a, b));
  const paired = new Map();
  for (const a of draft.items.filter((i) => i.side === "A")) {
    const b = twin(a);
    if (b) paired.set(b.key, a.key);
  }
  const kept = draft.items.filter((i) => !paired.has(i.key));
  const agreed = new Set(paired.values());
  const items = kept.map((i) => ({
    ...i,
    head: paired.get(i.head) ?? i.head,
    tail: paired.get(i.tail) ?? i.tail,
    ...(agreed.has(i.key) ? { side: "", state: /** @type {const} */ ("on"), score: null } : {}),
  }));
  return { ...draft, items: grouped(draft, items) };
}

/** @param {Draft} draft @param {Item} a @param {Item} b */
function same(draft, a, b) {
  if (a.type !== b.type || a.task !== b.task || a.label !== b.label) return false;
  if (a.type === "span") {
    const ids = Object.keys(a.links).every((t) => a.links[t].id === b.links[t]?.id);
    return a.start === b.start && a.end === b.end && ids;
  }
  if (a.type === "cat") return true;
  const ends = [
    [a.head, b.head],
    [a.tail, b.tail],
  ].map(([x, y]) => [find(draft, x), find(draft, y)]);
  return ends.every(([x, y]) => x && y && x.start === y.start && x.end === y.end);
}

/** Number the disagreements: disputed items of a task that exclude one another are one. @param {Draft} draft @param {Item[]} items */
function grouped(draft, items) {
  let groups = 0;
  /** @type {Item[]} */
  const done = [];
  for (const item of [...items].sort(byPlace)) {
    if (!item.side) {
      done.push(item);
      continue;
    }
    const rival = done.find((o) => o.side && o.task === item.task && o.type === item.type && excludes(draft, o, item));
    done.push({ ...item, group: rival ? rival.group : groups++ });
  }
  return done;
}

/** @param {Draft} draft @param {Item} a @param {Item} b */
function excludes(draft, a, b) {
  const { kind, exclusive } = taskOf(draft, a.task);
  if (a.type === "cat") return exclusive;
  if (a.type === "relation") return a.side !== b.side && a.head === b.head && a.tail === b.tail;
  const meet = a.start < b.end && b.start < a.end;
  return kind === "spancat" ? meet && a.side !== b.side : meet;
}

/** Decide a disagreement of two versions. @param {Draft} draft @param {number} group @param {"A"|"B"|""} side whose items are taken @returns {Draft} */
export function choose(draft, group, side) {
  const items = draft.items.map((i) =>
    i.group === group ? { ...i, state: /** @type {"on"|"off"} */ (i.side === side ? "on" : "off") } : i,
  );
  const next = items.find((i) => i.group >= 0 && i.state === "extra");
  const kept = items.find((i) => i.group === group && i.side === side);
  return edited(draft, items, { active: next?.key ?? kept?.key ?? draft.active });
}
