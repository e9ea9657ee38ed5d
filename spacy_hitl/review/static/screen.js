// Between what the server sends and takes, and the draft a person works on. Pure.

import { activate, find, newItem, spansOf, taskOf, wordsOf } from "./model.js";
import { allowedLabels } from "./relating.js";
import { join } from "./versions.js";

/** @typedef {import("./model.js").Draft} Draft */
/** @typedef {import("./model.js").Item} Item */
/** @typedef {import("./model.js").TaskInfo} TaskInfo */

const SPANS = ["ner", "spancat"];
const byPlace = (/** @type {Item} */ a, /** @type {Item} */ b) => a.start - b.start || b.end - a.end;

/** Start work on a screen. @param {any} screen @param {TaskInfo[]} known the tasks of the session @returns {Draft} */
export function draftOf(screen, known) {
  const tasks = known.filter((t) => t.name in screen.tasks);
  /** @type {Draft} */
  const empty = {
    screen,
    tasks,
    items: [],
    active: null,
    cursor: 0,
    anchor: null,
    head: null,
    past: [],
    future: [],
    nextKey: 0,
    flagged: Boolean(screen.answer?.flagged),
    note: screen.answer?.note ?? "",
  };
  if (screen.kind === "adjudicate" && !screen.answer && screen.versions.length === 2)
    return opened(ordered(join(bothOf(empty))));
  const said = Object.fromEntries(
    tasks.map((t) => [t.name, screen.answer?.tasks?.[t.name] ?? screen.tasks[t.name].annotation]),
  );
  let draft = addAnnotations(empty, said, {});
  for (const t of tasks) {
    for (const s of screen.tasks[t.name].extra ?? []) {
      const there = spansOf(draft).some(
        (i) => i.task === t.name && i.start === s.start && i.end === s.end && i.label === s.label,
      );
      if (!there && !screen.answer) draft = add(draft, { ...spanOf(draft, t, s, said), state: "extra" });
    }
  }
  return ordered(draft);
}

/** @param {Draft} draft @param {Partial<Item>} values @returns {Draft} */
const add = (draft, values) => ({
  ...draft,
  items: [...draft.items, newItem(draft, values)],
  nextKey: draft.nextKey + 1,
});

/** @param {Draft} draft @param {TaskInfo} task @param {any} s @param {Object<string, any>} said @returns {Partial<Item>} */
function spanOf(draft, task, s, said) {
  const links = draft.tasks.filter((t) => t.kind === "linking" && (t.mention_task || t.name) === task.name);
  return {
    task: task.name,
    type: "span",
    label: s.label,
    start: s.start,
    end: s.end,
    score: s.score ?? null,
    source: s.source ?? null,
    fixed: !SPANS.includes(task.kind),
    links: Object.fromEntries(
      links.map((t) => {
        const found = (said[t.name]?.spans ?? []).find(
          (/** @type {any} */ l) => l.start === s.start && l.end === s.end,
        );
        return [t.name, { id: found?.id ?? null, score: found?.score ?? null, source: found?.source ?? null }];
      }),
    ),
  };
}

/** @param {Draft} draft @param {Object<string, any>} said TokenAnnotation by task @param {Partial<Item>} values @returns {Draft} */
function addAnnotations(draft, said, values) {
  for (const t of draft.tasks) {
    const a = said[t.name] ?? {};
    // The mentions of links and relations are items of their entity task if that is on the screen.
    const own = SPANS.includes(t.kind) || !t.mention_task;
    const given = t.kind === "relations" ? draft.screen.tasks[t.name].mentions : a.spans;
    for (const s of own ? (given ?? []) : []) draft = add(draft, { ...spanOf(draft, t, s, said), ...values });
    for (const c of a.cats ?? [])
      draft = add(draft, {
        task: t.name,
        type: "cat",
        label: c.label,
        score: c.score ?? null,
        source: c.source ?? null,
        ...values,
      });
  }
  for (const t of draft.tasks.filter((x) => x.kind === "relations")) {
    for (const r of said[t.name]?.relations ?? []) {
      const [head, tail] = [r.head, r.tail].map(([start, end]) =>
        spansOf(draft).find((i) => i.start === start && i.end === end && isMention(t, i) && sameSide(i, values)),
      );
      if (head && tail)
        draft = add(draft, {
          task: t.name,
          type: "relation",
          label: r.label,
          head: head.key,
          tail: tail.key,
          score: r.score ?? null,
          source: r.source ?? null,
          ...values,
        });
    }
  }
  return draft;
}

/** At the first thing to decide. @param {Draft} draft @returns {Draft} */
const opened = (draft) => (draft.items[0]?.group >= 0 ? activate(draft, draft.items[0].key) : draft);

/** The items of two versions, offered. @param {Draft} draft @returns {Draft} */
function bothOf(draft) {
  const [a, b] = draft.screen.versions;
  const first = addAnnotations(draft, a.tasks, { side: "A", state: "extra" });
  return addAnnotations(first, b.tasks, { side: "B", state: "extra" });
}

/** @param {TaskInfo} task @param {Item} item whether relations of the task may end on the span */
const isMention = (task, item) => item.task === (task.mention_task || task.name);
const sameSide = (/** @type {Item} */ item, /** @type {Partial<Item>} */ values) =>
  !values.side || item.side === values.side;

/** Least certain first; what has no score after that, in the order of the text. @param {Draft} draft @returns {Draft} */
function ordered(draft) {
  const rank = (/** @type {Item} */ i) => (i.state === "extra" ? -1 : certainty(i));
  const place = (/** @type {Item} */ i) => (i.type === "relation" ? 1e9 : i.type === "cat" ? 1e8 : i.start);
  const items = draft.items.map((i) => ({ ...i, shown: i.shown ?? { ...i } }));
  const disputed = (/** @type {Item} */ i) => (i.group < 0 ? Infinity : i.group);
  items.sort((a, b) =>
    disputed(a) === disputed(b) ? rank(a) - rank(b) || place(a) - place(b) : disputed(a) - disputed(b),
  );
  return { ...draft, items };
}

/** The lowest score of an item and its links; unknown is after all that is known. @param {Item} item */
function certainty(item) {
  const scores = [item.score, ...Object.values(item.links).map((l) => l.score)].filter((s) => s !== null);
  return scores.length ? Math.min(.../** @type {number[]} */ (scores)) : 2;
}

/** What keeps the draft from being accepted. @param {Draft} draft @returns {{key: number|null, message: string}|null} */
export function gap(draft) {
  const open = draft.items.find((i) => i.group >= 0 && i.state === "extra");
  if (open) return { key: open.key, message: "Choose A or B for this difference first" };
  for (const item of spansOf(draft).filter((i) => i.state === "on")) {
    const task = Object.keys(item.links).find((t) => item.links[t].id === null);
    if (task)
      return {
        key: item.key,
        message: `Which entry is “${wordsOf(draft, item.start, item.end)}”? Choose one, search, or say that it is not in the catalog`,
      };
  }
  for (const t of draft.tasks.filter((x) => x.kind === "textcat" && x.exclusive)) {
    if (!draft.items.some((i) => i.task === t.name && i.state === "on"))
      return { key: null, message: `Choose one category for ${t.name}` };
  }
  return null;
}

/** Whether an item is part of the answer: a relation only with both of its mentions. @param {Draft} draft @param {Item} item */
export function counts(draft, item) {
  if (item.state !== "on") return false;
  if (item.type !== "relation") return true;
  const ends = [item.head, item.tail].every((k) => find(draft, k)?.state === "on");
  return ends && allowedLabels(draft, taskOf(draft, item.task), item.head, item.tail).includes(item.label);
}

/** What is accepted, as the server takes it. @param {Draft} draft @returns {Object<string, any>} */
export function answerOf(draft) {
  const on = draft.items.filter((i) => counts(draft, i));
  return Object.fromEntries(
    draft.tasks.map((t) => {
      const own = on.filter((i) => i.task === t.name);
      if (SPANS.includes(t.kind)) return [t.name, { spans: own.sort(byPlace).map((i) => [i.start, i.end, i.label]) }];
      if (t.kind === "textcat") return [t.name, { cats: t.labels.filter((l) => own.some((i) => i.label === l)) }];
      if (t.kind === "linking") {
        const mentions = on.filter((i) => i.type === "span" && t.name in i.links).sort(byPlace);
        return [t.name, { spans: mentions.map((i) => [i.start, i.end, i.links[t.name].id]) }];
      }
      const place = (/** @type {number} */ key) => {
        const i = /** @type {Item} */ (find(draft, key));
        return [i.start, i.end];
      };
      return [
        t.name,
        { relations: own.filter((i) => i.type === "relation").map((i) => [place(i.head), place(i.tail), i.label]) },
      ];
    }),
  );
}

/** Changes to what was shown, by task. @param {Draft} draft @returns {Object<string, number>} */
export function editsOf(draft) {
  const edits = Object.fromEntries(draft.tasks.map((t) => [t.name, 0]));
  for (const i of draft.items) {
    const was = i.shown;
    const [before, now] = [was?.state === "on", counts(draft, i)];
    const moved =
      was &&
      before &&
      now &&
      (was.label !== i.label ||
        was.start !== i.start ||
        was.end !== i.end ||
        was.head !== i.head ||
        was.tail !== i.tail);
    if (before !== now || moved) edits[i.task] += 1;
    for (const t of Object.keys(i.links)) if (now && (was?.links[t]?.id ?? null) !== i.links[t].id) edits[t] += 1;
  }
  return edits;
}

/** An answer in a few words. @param {Draft} draft @returns {string} */
export function summaryOf(draft) {
  const counted = new Map();
  for (const i of draft.items.filter((x) => counts(draft, x))) counted.set(i.label, (counted.get(i.label) ?? 0) + 1);
  const parts = [...counted].map(([label, n]) => (n > 1 ? `${n} ${label}` : label));
  return parts.slice(0, 4).join(", ") + (parts.length > 4 ? `, ${parts.length - 4} more` : "") || "nothing";
}

/** Corrected spans, which may be wrong elsewhere too. @param {Draft} draft @returns {{task: string, start: number, end: number, label: string|null}[]} */
export function correctionsOf(draft) {
  const changed = spansOf(draft).filter(
    (i) =>
      !i.fixed &&
      i.group < 0 &&
      (i.state === "on"
        ? !i.shown ||
          i.shown.state !== "on" ||
          i.shown.label !== i.label ||
          i.shown.start !== i.start ||
          i.shown.end !== i.end
        : i.shown?.state === "on"),
  );
  return changed.map((i) => ({ task: i.task, start: i.start, end: i.end, label: i.state === "on" ? i.label : null }));
}
