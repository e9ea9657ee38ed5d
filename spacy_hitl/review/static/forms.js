// One surface form, everywhere: forms that carry several labels, or one here and none there.

import { html, useEffect, useState } from "./vendor/preact.js";
import { Refused } from "./api.js";
import { colourOf } from "./colours.js";
import { formsOf, placesOf } from "./elsewhere.js";
import { dialog, say, session, view } from "./store.js";

const KINDS = ["ner", "spancat", "linking"];

export function Forms() {
  const tasks = session.value.tasks.filter((/** @type {any} */ t) => KINDS.includes(t.kind));
  const [task, setTask] = useState(tasks[0]?.name);
  const [found, setFound] = useState(/** @type {any} */ (null));
  const [offset, setOffset] = useState(0);
  const done = dialog.value === null;
  useEffect(() => {
    if (task && done)
      formsOf(task, offset).then(setFound, (e) =>
        setFound({ error: e instanceof Refused ? e.message : "The server can't be reached." }),
      );
  }, [task, offset, done]);
  const open = async (/** @type {string} */ form, /** @type {string|null} */ label) => {
    try {
      const places = await placesOf(task, form, label);
      dialog.value = { name: "elsewhere", ...places, task, label, mode: "consistency" };
    } catch (e) {
      say(e instanceof Refused ? e.message : "The server can't be reached", true);
    }
  };
  const rows = found?.forms ?? [];
  return html`<section class="forms" aria-labelledby="forms">
    <header>
      <h2 id="forms">Forms that are not decided alike</h2>
      <button
        class="plain"
        onClick=${() => {
          view.value = "texts";
        }}
      >
        Back to the texts
      </button>
    </header>
    <p class="lead">
      The same words, labelled one way here and another way there. Choose what they are; you see every place before
      anything changes.
    </p>
    ${tasks.length > 1
      ? html`<div class="tabs" role="group" aria-label="Task">
          ${tasks.map(
            (/** @type {any} */ t) =>
              html`<button
                key=${t.name}
                aria-pressed=${t.name === task}
                onClick=${() => {
                  setOffset(0);
                  setTask(t.name);
                }}
              >
                ${t.name}
              </button>`,
          )}
        </div>`
      : null}
    ${found?.error ? html`<p class="empty">${found.error}</p>` : null}
    ${found && !found.error && !rows.length ? html`<p class="empty">Every form is decided alike.</p>` : null}
    <ul class="formlist">
      ${rows.map(
        (/** @type {any} */ row) =>
          html`<li key=${row.form}>
            <span class="words" dir="auto">${row.form}</span><span class="source">${row.texts} texts</span>
            <span class="uses"
              >${Object.entries(row.labels).map(
                ([label, n]) =>
                  html`<button
                    key=${label}
                    style=${{ "--c": `var(--c${colourOf(session.value.tasks, task, label)})` }}
                    class=${label ? "" : "none"}
                    onClick=${() => open(row.form, label || null)}
                  >
                    <i aria-hidden="true" />${label || "no label"} <b>${n}</b>
                  </button>`,
              )}</span
            >
          </li>`,
      )}
    </ul>
    ${found?.total > rows.length + offset || offset
      ? html`<p class="pager">
          <button class="plain" disabled=${!offset} onClick=${() => setOffset(Math.max(0, offset - 50))}>
            ← before
          </button>
          <button
            class="plain"
            disabled=${found?.total <= rows.length + offset}
            onClick=${() => setOffset(offset + rows.length)}
          >
            next →
          </button>
        </p>`
      : null}
  </section>`;
}
