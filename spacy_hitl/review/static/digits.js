// What the label keys do right now. One place decides it: the key caps show it, the keys do it. Pure.

import { find, linkTasks, selection } from "./model.js";
import { allowedLabels } from "./relating.js";

/** @typedef {import("./model.js").Draft} Draft */

/**
 * @typedef {{do: "label"|"category"|"relation", task: string, label: string}
 *   | {do: "link", task: string, id: string}
 *   | {do: "side", side: "A"|"B"|""}} Choice
 */

/** What the slots stand for. @param {Draft} draft @returns {"labels"|"links"|"relations"|"sides"} */
export function context(draft) {
  const item = find(draft, draft.active);
  if (draft.head !== null || item?.type === "relation")
    return item?.group !== undefined && item.group >= 0 ? "sides" : "relations";
  if (item && item.group >= 0) return "sides";
  if (item && !selection(draft) && linkTasks(draft, item).length) return "links";
  return "labels";
}

/**
 * @param {Draft} draft
 * @param {{id: string}[]} candidates of the active mention, best first
 * @returns {Map<number, Choice>} slots 1 to 20
 */
export function slots(draft, candidates) {
  const item = find(draft, draft.active);
  const now = context(draft);
  /** @type {Map<number, Choice>} */
  const found = new Map();
  const labels = flat(draft);
  if (now === "labels") {
    for (const [i, choice] of labels.slice(0, 20).entries()) found.set(i + 1, choice);
    return found;
  }
  if (now === "relations") {
    const tasks =
      item?.type === "relation" && draft.head === null
        ? draft.tasks.filter((t) => t.name === item.task)
        : draft.tasks.filter((t) => t.kind === "relations");
    const ends = item?.type === "relation" ? [item.head, item.tail] : [draft.head, draft.active];
    const choices = tasks.flatMap((t) =>
      allowedLabels(draft, t, ends[0] ?? -1, ends[1] ?? -1).map((label) => ({
        do: /** @type {const} */ ("relation"),
        task: t.name,
        label,
      })),
    );
    for (const [i, choice] of choices.slice(0, 20).entries()) found.set(i + 1, choice);
    return found;
  }
  if (now === "sides") {
    found.set(1, { do: "side", side: "A" }).set(2, { do: "side", side: "B" }).set(10, { do: "side", side: "" });
  } else if (item) {
    const task = linkTasks(draft, item)[0].name;
    for (const [i, c] of candidates.slice(0, 9).entries()) found.set(i + 1, { do: "link", task, id: c.id });
    found.set(10, { do: "link", task, id: "NIL" });
  }
  // The plain digits are taken: labels are one shift away.
  for (const [i, choice] of labels.slice(0, 10).entries()) found.set(i + 11, choice);
  return found;
}

/** All labels of the screen, in one row: a number means the same on every text. @param {Draft} draft @returns {Choice[]} */
export function flat(draft) {
  const does = /** @type {Object<string, "label"|"category">} */ ({
    ner: "label",
    spancat: "label",
    textcat: "category",
  });
  const tasks = draft.tasks.filter((t) => t.kind in does);
  return tasks.flatMap((t) => t.labels.map((label) => ({ do: does[t.kind], task: t.name, label })));
}
