// Entity links: the entries of the catalog that a mention may mean.

import { html, useEffect } from "./vendor/preact.js";
import { get } from "./api.js";
import { choose, edit, run } from "./actions.js";
import { activate, linkTasks, wordsOf } from "./model.js";
import { Cap, SlotCap } from "./parts.js";
import { candidatesOf, entries, nameOf } from "./store.js";

/** @typedef {import("./model.js").Draft} Draft */

const MOST = 9; // one per digit

/** @param {string} task @param {string} words */
export async function lookUp(task, words) {
  const { entries: found } = await get("/api/catalog", { task, q: words, n: MOST });
  entries.value = new Map(entries.value).set(`${task}\n${words}`, found);
}

/** @param {{d: Draft, item: import("./model.js").Item, open: boolean}} props */
export function Links({ d, item, open }) {
  const tasks = linkTasks(d, item).map((t) => t.name);
  const words = item.type === "span" ? wordsOf(d, item.start, item.end) : "";
  useEffect(() => {
    // A mention that was added or moved has no candidates yet.
    for (const task of open ? tasks : []) if (!candidatesOf(d, item, task).length) lookUp(task, words).catch(() => {});
  }, [open, words]);
  return tasks.map((task) => {
    const { id } = item.links[task];
    const chosen = id === null ? html`<b class="missing">which entry?</b>` : nameOf(d, task, id);
    if (!open) return html`<p key=${task} class="link-of">↳ ${chosen}</p>`;
    const take = (/** @type {string} */ which) => () => {
      edit((x) => activate(x, item.key));
      choose({ do: "link", task, id: which });
    };
    const found = candidatesOf(d, item, task).slice(0, MOST);
    const listed = id === null || id === "NIL" || found.some((c) => c.id === id);
    return html`<div key=${task} class="candidates" role="radiogroup" aria-label=${`Catalog entry of ${words}`}>
      ${id === null ? html`<p class="missing">which entry?</p>` : null}
      ${listed
        ? null
        : html`<button role="radio" aria-checked="true" onClick=${take(/** @type {string} */ (id))}>
            <kbd class="none" /><span>${chosen} <small>${id}</small></span>
          </button>`}
      ${found.map(
        (c) =>
          html`<button key=${c.id} role="radio" aria-checked=${c.id === id} onClick=${take(c.id)}>
            <${SlotCap} choice=${{ do: "link", task, id: c.id }} /><span
              >${c.name} <small>${c.id}</small>${c.description ? html`<em>${c.description}</em>` : null}</span
            >
          </button>`,
      )}
      <button role="radio" aria-checked=${id === "NIL"} onClick=${take("NIL")}>
        <${SlotCap} choice=${{ do: "link", task, id: "NIL" }} /><span>not in the catalog</span>
      </button>
      <button class="more" onClick=${() => run("search")}>
        <${Cap} action="search" /><span>search the catalog…</span>
      </button>
    </div>`;
  });
}
