// The text: every token is an element, selected by pointer or keys; only token numbers leave here.

import { Component, html, useEffect, useLayoutEffect, useMemo, useRef } from "./vendor/preact.js";
import { glyphs, isBlank, isRtl, layOut, paint, paragraphs } from "./lanes.js";
import * as model from "./model.js";
import { colourOf } from "./colours.js";
import { draft, nameOf } from "./store.js";

/** @typedef {import("./model.js").Draft} Draft */
/** @typedef {import("./lanes.js").Mark} Mark */

const LONGEST = 30; // characters of a label below its span

/** What is written below a span. @param {Draft} d @param {import("./model.js").Item} item */
function caption(d, item) {
  const ids = Object.entries(item.state === "on" ? item.links : {}).map(([task, l]) =>
    l.id === null ? "which?" : l.id === "NIL" ? "∅" : nameOf(d, task, l.id),
  );
  const label = item.fixed && ids.length ? "" : item.label;
  const before = item.side || (item.state === "extra" ? "+" : "");
  const text = [before, [label, ...ids].filter(Boolean).join(" · ")].filter(Boolean).join(" ");
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
}

/** @param {Draft} d @returns {{marks: Mark[], lanes: number}} */
export function marksOf(d) {
  const spans = d.items.filter((i) => i.type === "span" && i.state !== "off");
  const related = model.find(d, d.active);
  const ends = related?.type === "relation" ? [related.head, related.tail] : [d.head];
  return layOut(
    spans.map((i) => ({
      key: i.key,
      start: i.start,
      end: i.end,
      text: caption(d, i),
      colour: colourOf(d.tasks, i.task, i.label),
      state: i.state === "extra" ? "extra" : "on",
      active: i.key === d.active || ends.includes(i.key),
    })),
    d.screen.tokens,
  );
}

/** A run of tokens. Drawn again only if something in it changed. */
class Run extends Component {
  /** @param {any} next */
  shouldComponentUpdate(next) {
    return next.tokens !== this.props.tokens || next.sign !== this.props.sign;
  }
  /** @param {any} props */
  render({ tokens, from, to, marks, lanes, selected, cursor, prefix, still }) {
    const parts = [];
    for (let i = from; i < to; i++) {
      const [text, space] = tokens[i];
      const over = marks.filter((/** @type {Mark} */ m) => m.start <= i && i < m.end);
      const on = selected && selected.start <= i && i < selected.end;
      const labels = over.filter((/** @type {Mark} */ m) => m.start === i);
      const blank = isBlank(text);
      const name = ["tok", on && "sel", i === cursor && "cur", blank && "blank", over.length && "in"]
        .filter(Boolean)
        .join(" ");
      const aria = still ? {} : { role: "option", "aria-selected": Boolean(on || over.length) };
      parts.push(
        html`<span
          id=${prefix + i}
          class=${name}
          ...${aria}
          style=${paint(over, lanes)}
          aria-label=${blank && !still ? "white space" : undefined}
          >${blank ? html`<span class="glyph" aria-hidden="true">${glyphs(text)}</span>` : null}${text}${labels.map(
            (/** @type {Mark} */ m) =>
              html`<span
                class=${`lab${m.active ? " now" : ""}${m.state === "extra" ? " extra" : ""}${isRtl(text) ? " rtl" : ""}`}
                style=${{ "--c": `var(--c${m.colour})`, bottom: `calc(${lanes - 1 - m.lane} * var(--lane))` }}
                >${m.text}</span
              >`,
          )}</span
        >`,
      );
      if (space) {
        const across = over.filter((/** @type {Mark} */ m) => i + 1 < m.end);
        const both = on && selected.end > i + 1;
        parts.push(
          across.length || both
            ? html`<span class=${`gap${both ? " sel" : ""}`} role="presentation" style=${paint(across, lanes)}> </span>`
            : " ",
        );
      }
    }
    return html`<span role="presentation">${parts}</span>`;
  }
}

/** @param {{d: Draft, label?: string, id?: string, still?: boolean}} props still: to be read only */
export function Text({ d, label = "Text", id = "text", still = false }) {
  const { tokens } = d.screen;
  const box = useRef(null);
  const cut = useMemo(() => paragraphs(tokens), [tokens]);
  const { marks, lanes } = useMemo(() => marksOf(d), [d.items, d.active, d.head]);
  const selected = still ? null : model.selection(d);
  const cursor = still || d.active !== null ? -1 : d.cursor; // an active span shows where one is
  useLayoutEffect(() => keepLabelsInside(box.current), [marks, tokens]);
  useEffect(() => {
    const observer = new ResizeObserver(() => keepLabelsInside(box.current));
    if (box.current) observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  useLayoutEffect(() => {
    if (!still && (d.active !== null || d.anchor !== null))
      document.getElementById(`t${d.cursor}`)?.scrollIntoView({ block: "nearest" });
  }, [d.cursor, d.active]);
  const aria = {
    role: "listbox",
    "aria-multiselectable": true,
    "aria-label": label,
    "aria-activedescendant": `t${d.cursor}`,
    tabindex: 0,
  };
  const prefix = still ? `${id}-` : "t";
  const run = (/** @type {{from: number, to: number}} */ { from, to }) => {
    const here = marks.filter((m) => m.start < to && m.end > from);
    const sel = selected && selected.start < to && selected.end > from ? selected : null;
    const at = cursor >= from && cursor < to ? cursor : -1;
    const sign = JSON.stringify([lanes, here, sel, at]);
    const own = { tokens, from, to, marks: here, lanes, selected: sel, cursor: at, sign, prefix, still };
    return html`<${Run} key=${from} ...${own} />`;
  };
  return html`<div
    id=${id}
    ref=${box}
    class="text"
    dir="auto"
    style=${{ "--lanes": lanes }}
    ...${still ? {} : { ...aria, ...POINTER }}
  >
    ${cut.map(
      (runs) => html`<div key=${runs[0].from} role=${still ? undefined : "presentation"}>${runs.map(run)}</div>`,
    )}
  </div>`;
}

/** A label at the end of a line must not leave the card. @param {HTMLElement|null} box */
function keepLabelsInside(box) {
  if (!box) return;
  const labels = [...box.querySelectorAll(".lab")].map((e) => /** @type {HTMLElement} */ (e));
  for (const e of labels) e.style.transform = "";
  const edge = box.getBoundingClientRect();
  const shifts = labels.map((e) => {
    const { left, right } = e.getBoundingClientRect();
    return right > edge.right - 4 ? edge.right - 4 - right : left < edge.left + 4 ? edge.left + 4 - left : 0;
  });
  for (const [i, by] of shifts.entries()) if (by) labels[i].style.transform = `translateX(${by}px)`;
}

/** The token on the line above or below that is nearest. @param {number} from @param {number} by @returns {number} */
export function lineAway(from, by) {
  const start = document.getElementById(`t${from}`)?.getBoundingClientRect();
  if (!start) return from;
  const middle = start.left + start.width / 2;
  let [best, distance, line] = [from, Infinity, /** @type {number|null} */ (null)];
  for (let i = from + by; ; i += by) {
    const box = document.getElementById(`t${i}`)?.getBoundingClientRect();
    if (!box) return best;
    if (Math.abs(box.top - start.top) < start.height / 2) continue;
    if (line !== null && Math.abs(box.top - line) > start.height / 2) return best;
    line = box.top;
    const away = Math.abs(box.left + box.width / 2 - middle);
    if (away < distance) [best, distance] = [i, away];
  }
}

// --- pointer: drag or tap and tap, click a span to make it active
let from = -1;
let dragged = false;

/** @param {Event} event @returns {number} the token under it, -1 for none */
function tokenOf(event) {
  const found = /** @type {HTMLElement} */ (event.target).closest?.(".tok");
  return found ? Number(found.id.slice(1)) : -1;
}

/** @param {PointerEvent} event */
function onDown(event) {
  const at = tokenOf(event);
  if (at < 0 || event.button !== 0) return;
  if (event.pointerType !== "mouse") return;
  [from, dragged] = [at, false];
  event.preventDefault(); // our selection, not the browser's
  document.getElementById("text")?.focus({ preventScroll: true });
}

/** @param {PointerEvent} event */
function onMove(event) {
  const at = tokenOf(event);
  if (from < 0 || at < 0 || event.pointerType !== "mouse" || (!dragged && at === from)) return;
  dragged = true;
  const d = draft.value;
  if (d && (d.anchor !== from || d.cursor !== at)) draft.value = model.select(d, from, at);
}

/** @param {MouseEvent} event */
function onPress(event) {
  const d = draft.value;
  const at = tokenOf(event);
  const wasDrag = dragged;
  [from, dragged] = [-1, false];
  if (d && wasDrag) return labelAtOnce(d);
  if (!d || at < 0) return;
  const touch = /** @type {PointerEvent} */ (event).pointerType === "touch";
  const chosen = model.selection(d);
  // Tap and tap: the second tap ends what the first one began.
  const extend = event.shiftKey || (touch && chosen && chosen.end - chosen.start === 1 && d.cursor !== at);
  if (extend) draft.value = model.select(d, d.anchor ?? d.cursor, at);
  else draft.value = spanAt(d, at) ?? model.select(d, at, at);
}

/** The span under a token; again: the next one that covers it; then the token. @param {Draft} d @param {number} at @returns {Draft|null} */
function spanAt(d, at) {
  const over = d.items.filter((i) => i.type === "span" && i.state !== "off" && i.start <= at && at < i.end);
  over.sort((a, b) => a.end - a.start - (b.end - b.start));
  const next = over[over.findIndex((i) => i.key === d.active) + 1];
  if (!next) return null;
  return { ...model.activate(d, next.key), head: d.head };
}

/** Where there is one label only, a drag or a double click means it. @param {Draft} d */
function labelAtOnce(d) {
  const labels = d.tasks
    .filter((t) => t.kind === "ner" || t.kind === "spancat")
    .flatMap((t) => t.labels.map((l) => [t.name, l]));
  if (labels.length === 1 && d.anchor !== null) draft.value = model.setLabel(d, labels[0][0], labels[0][1]);
}

function onLeave() {
  [from, dragged] = [-1, false];
}

/** @param {MouseEvent} event */
function onDouble(event) {
  const at = tokenOf(event);
  if (draft.value && at >= 0) labelAtOnce((draft.value = model.select(draft.value, at, at)));
}

const POINTER = {
  onPointerDown: onDown,
  onPointerMove: onMove,
  onClick: onPress,
  onDblClick: onDouble,
  onPointerLeave: onLeave,
};
