// A box to search in: the catalog for a mention, or the labels when there are more than keys.

import { html, useEffect, useState } from "./vendor/preact.js";
import { get, Refused } from "./api.js";
import { choose, edit } from "./actions.js";
import { flat } from "./digits.js";
import { linkTasks, setLink, wordsOf } from "./model.js";
import { Dialog } from "./parts.js";
import { allowedLabels } from "./relating.js";
import * as store from "./store.js";

const PAUSE = 60; // milliseconds after the last key before the server is asked
const MOST = 20;

/** Whether the letters stand in the name in this order. @param {string} name @param {string} query */
function matches(name, query) {
  let at = 0;
  for (const c of query.toLowerCase().replace(/\s+/g, "")) {
    at = name.toLowerCase().indexOf(c, at) + 1;
    if (!at) return false;
  }
  return true;
}

/** @param {{labels: boolean}} props */
export function Search({ labels }) {
  const [d] = useState(/** @type {import("./model.js").Draft} */ (store.draft.value));
  const item = store.active.value;
  const task = !labels && item ? linkTasks(d, item)[0]?.name : undefined;
  const words = item?.type === "span" ? wordsOf(d, item.start, item.end) : "";
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(0);
  const [found, setFound] = useState(/** @type {any[]} */ ([]));
  const [problem, setProblem] = useState("");
  useEffect(() => {
    setAt(0);
    if (!task) return setFound(labelRows(d, query));
    const timer = setTimeout(
      () => {
        get("/api/catalog", { task, q: query || words, n: MOST }).then(
          (v) => {
            setFound(v.entries);
            setProblem("");
          },
          (e) => setProblem(e instanceof Refused ? e.message : "The server can't be reached"),
        );
      },
      query ? PAUSE : 0,
    );
    return () => clearTimeout(timer);
  }, [query]);
  const take = (/** @type {any} */ row) => {
    store.dialog.value = null;
    if (!row) return;
    if (!task) return choose(row.choice);
    const key = `${task}\n${words}`;
    const known = (store.entries.value.get(key) ?? []).filter((c) => c.id !== row.id);
    store.entries.value = new Map(store.entries.value).set(key, [row, ...known]);
    edit((x) => setLink(x, task, row.id));
  };
  const onKey = (/** @type {KeyboardEvent} */ e) => {
    if (e.isComposing) return;
    const by = { ArrowDown: 1, ArrowUp: -1 }[e.key];
    if (by && found.length) setAt((at + by + found.length) % found.length);
    if (e.key === "Enter") take(found[at]);
    if (by || e.key === "Enter") e.preventDefault();
  };
  return html`<${Dialog} title=${task ? `Which entry is “${words}”?` : "Labels"}>
    <input autofocus type="search" role="combobox" aria-expanded="true" aria-controls="found" aria-activedescendant=${found.length ? `found-${at}` : undefined}
      aria-label=${task ? "Search the catalog" : "Search the labels"} value=${query} placeholder=${task ? "name, alias or id" : "label"} autocomplete="off"
      onInput=${(/** @type {any} */ e) => setQuery(e.target.value)} onKeyDown=${onKey} />
    <ul id="found" class="found" role="listbox" aria-label="Found">${found.map(
      (row, i) =>
        html`<li key=${row.id} id=${`found-${i}`} role="option" aria-selected=${i === at} onClick=${() => take(row)}>
          <b>${row.name}</b> <small>${row.id === row.name ? "" : row.id}</small>${row.aliases?.length
            ? html`<span class="source">${row.aliases.join(", ")}</span>`
            : null}
          ${row.description ? html`<em>${row.description}</em>` : null}
        </li>`,
    )}</ul>
    ${problem || !found.length ? html`<p class="empty" role="status">${problem || "Nothing found."}</p>` : null}
  </${Dialog}>`;
}

/** @param {import("./model.js").Draft} d @param {string} query */
function labelRows(d, query) {
  const relations = d.tasks
    .filter((t) => t.kind === "relations" && (d.head !== null || store.active.value?.type === "relation"))
    .flatMap((t) =>
      allowedLabels(d, t, d.head ?? -1, d.active ?? -1).map((label) => ({ do: "relation", task: t.name, label })),
    );
  const all = [...relations, ...flat(d)];
  return all
    .filter((c) => matches(/** @type {any} */ (c).label, query))
    .map((choice) => {
      const c = /** @type {any} */ (choice);
      return {
        id: `${c.task}: ${c.label}`,
        name: c.label,
        choice,
        description: d.tasks.find((t) => t.name === c.task)?.definitions?.[c.label],
      };
    });
}
