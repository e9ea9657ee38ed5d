// Where spans are drawn: lanes below the tokens, so that overlapping spans stay apart. Pure.

/** @typedef {import("./model.js").Item} Item */

/**
 * @typedef {Object} Mark        a span as it is drawn
 * @property {number} key
 * @property {number} start
 * @property {number} end
 * @property {number} lane
 * @property {string} text       its label, and its link
 * @property {number} colour     number of a custom property
 * @property {"on"|"extra"} state
 * @property {boolean} active
 */

const NARROW = 0.72; // width of a character of a label, in characters of the text
const WHITE = /^[\s\u00ad\u200b-\u200f\u2028-\u202e\u2060\ufeff]*$/u;
const RTL = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;

/** @param {string} token whether there is nothing to see in it */
export const isBlank = (token) => WHITE.test(token);
/** @param {string} token */
export const isRtl = (token) => RTL.test(token);

/** What stands for white space that would not be seen. @param {string} token @returns {string} */
export const glyphs = (token) =>
  [...token].map((c) => (c === "\n" ? "↵" : c === "\t" ? "⇥" : c === "\r" ? "" : "·")).join("");

/**
 * Give every mark the first lane where neither its tokens nor its label meet another's.
 * @param {Omit<Mark, "lane">[]} spans
 * @param {[string, number][]} tokens
 * @returns {{marks: Mark[], lanes: number}}
 */
export function layOut(spans, tokens) {
  /** @type {number[]} */
  const starts = [];
  let at = 0;
  for (const [text, space] of tokens) {
    starts.push(at);
    at += text.length + space;
  }
  starts.push(at);
  /** @type {number[]} */
  const free = []; // by lane, the first column that is free
  const marks = [...spans]
    .sort((a, b) => a.start - b.start || b.end - a.end || a.key - b.key)
    .map((span) => {
      const from = starts[span.start];
      const to = Math.max(starts[span.end], from + Math.ceil(span.text.length * NARROW) + 1);
      let lane = free.findIndex((column) => column <= from);
      if (lane < 0) lane = free.length;
      free[lane] = to;
      return { ...span, lane };
    });
  return { marks, lanes: free.length };
}

/**
 * Cut the tokens into paragraphs, which are laid out by themselves, and these into runs, which are
 * drawn by themselves: a change costs what is near it, not the whole text.
 * @param {[string, number][]} tokens @param {number} size of a run
 * @returns {{from: number, to: number}[][]}
 */
export function paragraphs(tokens, size = 80) {
  /** @type {{from: number, to: number}[][]} */
  const found = [];
  let start = 0;
  for (let i = 1; i <= tokens.length; i++) {
    if (i < tokens.length && !tokens[i - 1][0].endsWith("\n")) continue;
    const runs = [];
    for (let from = start; from < i; from += size) runs.push({ from, to: Math.min(from + size, i) });
    found.push(runs);
    start = i;
  }
  return found;
}

/**
 * The background of a token or of the space after it: a tint behind the text and one bar per span,
 * in its lane.
 * @param {Mark[]} marks that cover it
 * @param {number} lanes of the whole text
 * @returns {Object<string, string>|undefined}
 */
export function paint(marks, lanes) {
  if (!marks.length) return undefined;
  const layers = marks.map((m) => {
    const colour = `var(--c${m.colour})`;
    const bar =
      m.state === "extra"
        ? `repeating-linear-gradient(90deg, ${colour} 0 4px, transparent 4px 7px)`
        : `linear-gradient(${colour}, ${colour})`;
    return `${bar} 0 calc(100% - ${lanes - m.lane} * var(--lane) + ${m.active ? 4 : 3}px) / 100% ${m.active ? 4 : 3}px no-repeat`;
  });
  for (const m of marks.filter((x) => x.state === "on" || x.active)) {
    const tint = `color-mix(in oklab, var(--c${m.colour}) ${m.active ? 36 : 15}%, transparent)`;
    layers.push(`linear-gradient(${tint}, ${tint}) 0 0 / 100% calc(100% - ${lanes} * var(--lane)) no-repeat`);
  }
  return { background: layers.join(", ") };
}
