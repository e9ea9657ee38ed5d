// Two versions of a prompt on the same text, nobody knows which is which: which one is better?

import { html } from "./vendor/preact.js";
import { run } from "./actions.js";
import { colourOf } from "./colours.js";
import { draftOf } from "./screen.js";
import { find, wordsOf } from "./model.js";
import { Cap } from "./parts.js";
import { Text } from "./text.js";

/** @typedef {import("./model.js").Draft} Draft */

/** One version, to be read. @param {Draft} d @param {any} version @returns {Draft} */
function readOnly(d, version) {
  const tasks = Object.entries(version.tasks).map(([name, annotation]) => [name, { annotation }]);
  return draftOf({ ...d.screen, kind: "text", answer: null, tasks: Object.fromEntries(tasks) }, d.tasks);
}

/** @param {{d: Draft, at: number}} props */
function Version({ d, at }) {
  const v = readOnly(d, d.screen.versions[at]);
  const rest = v.items.filter((i) => i.type !== "span");
  const name = at ? "right" : "left";
  const mention = (/** @type {number} */ key) => {
    const m = find(v, key);
    return m ? wordsOf(v, m.start, m.end) : "?";
  };
  return html`<section class="card version" aria-label=${`Version on the ${name}`}>
    <${Text} d=${v} id=${name} still=${true} />
    ${rest.length
      ? html`<ul class="said">
          ${rest.map(
            (i) =>
              html`<li key=${i.key} style=${{ "--c": `var(--c${colourOf(v.tasks, i.task, i.label)})` }}>
                <i aria-hidden="true" />${i.type === "relation"
                  ? `${mention(i.head)} → ${mention(i.tail)} `
                  : ""}${i.label}
              </li>`,
          )}
        </ul>`
      : null}
    ${v.items.length ? null : html`<p class="empty">Nothing is annotated.</p>`}
  </section>`;
}

const CHOICES = ["left is better", "right is better", "both are fine", "neither is"];

/** @param {{d: Draft}} props */
export function Compare({ d }) {
  return html`<div class="versions"><${Version} d=${d} at=${0} /><${Version} d=${d} at=${1} /></div>`;
}

export function Choices() {
  return html`<footer class="bottom">
    <div class="choices" role="group" aria-label="Which is better?">
      ${CHOICES.map(
        (words, i) =>
          html`<button key=${i} class="big" onClick=${() => run(`label-${i + 1}`)}>
            ${words} <${Cap} action=${`label-${i + 1}`} />
          </button>`,
      )}
    </div>
  </footer>`;
}
