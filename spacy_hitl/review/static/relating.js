// Relations: between two mentions, with a label that may join them. Pure.

import { activate, edited, find, newItem, put, spansOf, taskOf } from "./model.js";

/** @typedef {import("./model.js").Draft} Draft */
/** @typedef {import("./model.js").Item} Item */
/** @typedef {import("./model.js").TaskInfo} TaskInfo */

/** Begin a relation at the active span, or choose its head first. @param {Draft} draft @returns {Draft} */
export function startRelation(draft) {
  const item = find(draft, draft.active);
  const head =
    item && item.type === "span" && item.state === "on" ? item : spansOf(draft).find((i) => i.state === "on");
  if (!head) return draft;
  return { ...activate(draft, head.key), head: head.key };
}

/** The labels that may join two spans. @param {Draft} draft @param {TaskInfo} task @param {number} head @param {number} tail @returns {string[]} */
export function allowedLabels(draft, task, head, tail) {
  const [a, b] = [find(draft, head)?.label, find(draft, tail)?.label];
  const { allowed } = task;
  if (!allowed) return task.labels;
  return task.labels.filter((l) => !allowed[l] || allowed[l].some(([x, y]) => x === a && y === b));
}

/** Label the relation being made, or the active one. @param {Draft} draft @param {string} task @param {string} label @returns {Draft} */
export function setRelation(draft, task, label) {
  const item = find(draft, draft.active);
  if (!item) return draft;
  if (item.type === "relation" && draft.head === null) {
    const changed = { ...item, label, state: /** @type {const} */ ("on") };
    return (item.label === label && item.state === "on") || hasTwin(draft, changed)
      ? draft
      : edited(draft, put(draft.items, changed));
  }
  if (draft.head === null || draft.head === item.key || item.type !== "span") return draft;
  const { head } = draft;
  const same = draft.items.find(
    (i) => i.type === "relation" && i.task === task && i.head === head && i.tail === item.key && i.label === label,
  );
  if (same) return edited(draft, put(draft.items, { ...same, state: "on" }), { active: same.key });
  const made = newItem(draft, { task, type: "relation", label, head, tail: item.key });
  return edited(draft, [...draft.items, made], { active: made.key, nextKey: draft.nextKey + 1 });
}

/** Swap head and tail of the active relation. @param {Draft} draft @returns {Draft} */
export function reverse(draft) {
  const item = find(draft, draft.active);
  if (!item || item.type !== "relation") return draft;
  const changed = { ...item, head: item.tail, tail: item.head };
  const fits = allowedLabels(draft, taskOf(draft, item.task), changed.head, changed.tail).includes(item.label);
  return fits && !hasTwin(draft, changed) ? edited(draft, put(draft.items, changed)) : draft;
}

/** Whether the same relation is there already. @param {Draft} draft @param {Item} item */
const hasTwin = (draft, item) =>
  draft.items.some(
    (i) =>
      i.key !== item.key &&
      i.task === item.task &&
      i.head === item.head &&
      i.tail === item.tail &&
      i.label === item.label,
  );
