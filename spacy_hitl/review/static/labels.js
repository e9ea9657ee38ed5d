// The label bar above the text, and the categories below it.

import { html } from "./vendor/preact.js";
import { choose, run } from "./actions.js";
import { colourOf } from "./colours.js";
import { find } from "./model.js";
import { Cap, SlotCap } from "./parts.js";
import { allowedLabels } from "./relating.js";
import { draft, now } from "./store.js";

/** @typedef {import("./model.js").TaskInfo} TaskInfo */

/** @param {{task: TaskInfo, label: string, kind: "label"|"relation"}} props */
function LabelButton({ task, label, kind }) {
  const d = /** @type {import("./model.js").Draft} */ (draft.value);
  const item = find(d, d.active);
  const on = item?.task === task.name && item.label === label && item.state === "on";
  const choice = { do: kind, task: task.name, label };
  return html`<button
    class=${`label${on ? " on" : ""}`}
    title=${task.definitions?.[label]}
    style=${{ "--c": `var(--c${colourOf(d.tasks, task.name, label)})` }}
    onClick=${() => choose(/** @type {any} */ (choice))}
  >
    <i aria-hidden="true" />${label} <${SlotCap} choice=${choice} />
  </button>`;
}

export function LabelBar() {
  const d = draft.value;
  if (!d) return null;
  const spans = d.tasks.filter((t) => (t.kind === "ner" || t.kind === "spancat") && t.labels.length);
  const relations = d.tasks.filter((t) => t.kind === "relations");
  const item = find(d, d.active);
  const making = d.head !== null || item?.type === "relation";
  const ends = item?.type === "relation" && d.head === null ? [item.head, item.tail] : [d.head ?? -1, d.active ?? -1];
  const group = (/** @type {TaskInfo} */ t, /** @type {any} */ inside) =>
    html`<div class="group" role="group" aria-label=${`Labels of ${t.name}`}>
      <span class="name">${t.name}</span>${inside}
    </div>`;
  if (!spans.length && !relations.length) return null;
  return html`<div class="labels">
    ${spans.map((t) =>
      group(
        t,
        t.labels.map((label) => html`<${LabelButton} key=${label} task=${t} label=${label} kind="label" />`),
      ),
    )}
    ${relations.map((t) =>
      group(
        t,
        making
          ? allowedLabels(d, t, ends[0], ends[1]).map(
              (label) => html`<${LabelButton} key=${label} task=${t} label=${label} kind="relation" />`,
            )
          : html`<button class="label" onClick=${() => run("relation")}>
              new relation <${Cap} action="relation" />
            </button>`,
      ),
    )}
  </div>`;
}

/** @param {{task: TaskInfo}} props */
function Categories({ task }) {
  const d = /** @type {import("./model.js").Draft} */ (draft.value);
  const role = task.exclusive ? "radio" : "checkbox";
  return html`<div
    class="cats"
    role=${task.exclusive ? "radiogroup" : "group"}
    aria-label=${`Categories of ${task.name}`}
  >
    <span class="name">${task.name}</span>
    ${task.labels.map((label) => {
      const items = d.items.filter((i) => i.task === task.name && i.type === "cat" && i.label === label);
      const on = items.some((i) => i.state === "on");
      const open = items.find((i) => i.state === "extra");
      const now_ = items.some((i) => i.key === d.active);
      const score = items.find((i) => i.score !== null)?.score;
      const choice = { do: /** @type {const} */ ("category"), task: task.name, label };
      return html`<button
        key=${label}
        class=${`cat${now_ ? " now" : ""}${open ? " extra" : ""}`}
        role=${role}
        aria-checked=${on}
        title=${task.definitions?.[label]}
        style=${{ "--c": `var(--c${colourOf(d.tasks, task.name, label)})` }}
        onClick=${() => choose(choice)}
      >
        <i aria-hidden="true" />${open ? `${open.side} ` : ""}${label}${score === undefined
          ? ""
          : html` <small>${score?.toFixed(2)}</small>`} <${SlotCap} choice=${choice} />
      </button>`;
    })}
  </div>`;
}

export function CategoryBars() {
  const tasks = draft.value?.tasks.filter((t) => t.kind === "textcat") ?? [];
  return tasks.length
    ? html`<div class="categories">${tasks.map((t) => html`<${Categories} key=${t.name} task=${t} />`)}</div>`
    : null;
}

/** What the digits do is said where it is not the usual. */
export function DigitHint() {
  const words = {
    labels: "",
    relations: "Digits choose the relation.",
    sides: "1 takes A’s, 2 takes B’s, 0 neither.",
    links: "Digits choose the catalog entry, 0 says that it has none. Labels are one shift away.",
  }[now.value];
  return words ? html`<p class="hint">${words}</p>` : null;
}
