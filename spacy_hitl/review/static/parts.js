// Small parts that several components share.

import { html, useLayoutEffect, useRef } from "./vendor/preact.js";
import { cap } from "./keys.js";
import { bindings, choices, dialog } from "./store.js";

/** The key of an action. @param {{action: string}} props */
export function Cap({ action }) {
  const name = cap(bindings.value.keys[action]?.[0]);
  return name ? html`<kbd aria-hidden="true">${name}</kbd>` : null;
}

/** The key of a choice, if it has one now. @param {{choice: any}} props */
export function SlotCap({ choice }) {
  const same = (/** @type {any} */ c) =>
    c.do === choice.do &&
    c.task === choice.task &&
    c.label === choice.label &&
    c.id === choice.id &&
    c.side === choice.side;
  const slot = [...choices.value].find(([, c]) => same(c))?.[0];
  return slot ? html`<${Cap} action=${`label-${slot}`} />` : html`<kbd class="none" aria-hidden="true" />`;
}

/** A dialog of the browser: it traps the focus, Esc closes it. @param {{title: string, children?: any, wide?: boolean, calm?: boolean}} props calm: nothing inside takes the focus */
export function Dialog({ title, children, wide = false, calm = false }) {
  // At once: the first letters that are typed after the key that opened it belong to it.
  const box = useRef(/** @type {HTMLDialogElement|null} */ (null));
  useLayoutEffect(() => {
    const before = /** @type {HTMLElement|null} */ (document.activeElement);
    const opened = box.current;
    opened?.showModal();
    return () => {
      opened?.close(); // as long as it is open, nothing else can have the focus
      before?.focus?.({ preventScroll: true });
    };
  }, []);
  const close = () => {
    dialog.value = null;
  };
  // Esc says "cancel" at once and "close" in a later task: keys pressed in between are the page's,
  // and a "close" that comes when this one is gone may not take the next one with it.
  const closed = () => {
    if (box.current) close();
  };
  // A click on the backdrop has the dialog itself as its target.
  const outside = (/** @type {MouseEvent} */ e) => {
    if (e.target === box.current) close();
  };
  return html`<dialog
    ref=${box}
    class=${wide ? "wide" : ""}
    aria-labelledby="dialog-title"
    onCancel=${close}
    onClose=${closed}
    onClick=${outside}
  >
    <div class="inside" tabindex="-1" autofocus=${calm}>
      <header>
        <h2 id="dialog-title">${title}</h2>
        <button class="plain" onClick=${close} aria-label="Close">✕</button>
      </header>
      ${children}
    </div>
  </dialog>`;
}

/** @param {number|null|undefined} x @param {string} unit */
export const shown = (x, unit = "") => (x === null || x === undefined ? "–" : `${Math.round(x * 10) / 10}${unit}`);
