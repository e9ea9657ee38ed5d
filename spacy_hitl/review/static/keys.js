// Which key does what: names of keys, the default bindings, and what a config changes. Pure.

/** @type {Object<string, string[]>} action: keys, the first one is shown */
export const DEFAULTS = {
  accept: ["a", "Enter"],
  reject: ["x"],
  skip: ["Space"],
  back: ["Backspace"],
  next: ["j"],
  previous: ["k"],
  delete: ["d", "Delete"],
  include: ["+", "=", "i"],
  undo: ["u", "Ctrl+z"],
  redo: ["Shift+z", "Ctrl+Shift+z", "Ctrl+y"],
  flag: ["f"],
  note: ["n"],
  search: ["/"],
  labels: ["l"],
  relation: ["r"],
  reverse: ["v"],
  everywhere: ["p"],
  left: ["ArrowLeft"],
  right: ["ArrowRight"],
  up: ["ArrowUp"],
  down: ["ArrowDown"],
  "extend-left": ["Shift+ArrowLeft"],
  "extend-right": ["Shift+ArrowRight"],
  "extend-up": ["Shift+ArrowUp"],
  "extend-down": ["Shift+ArrowDown"],
  first: ["Home"],
  last: ["End"],
  "end-left": ["Alt+ArrowLeft"],
  "end-right": ["Alt+ArrowRight"],
  "start-left": ["Alt+Shift+ArrowLeft"],
  "start-right": ["Alt+Shift+ArrowRight"],
  clear: ["Escape"],
  copy: ["y"],
  help: ["?", "h"],
  guidelines: ["g"],
  evidence: ["e"],
  consistency: ["c"],
  ...Object.fromEntries(
    Array.from({ length: 20 }, (_, i) => [`label-${i + 1}`, [(i < 10 ? "" : "Shift+") + ((i + 1) % 10)]]),
  ),
};

const MODIFIERS = ["Control", "Shift", "Alt", "Meta", "AltGraph", "CapsLock"];
/** @type {Object<string, string>} how keys look on a cap */
const SHOWN = {
  Enter: "⏎",
  Backspace: "⌫",
  Delete: "Del",
  Space: "space",
  Escape: "Esc",
  ArrowLeft: "←",
  ArrowRight: "→",
  ArrowUp: "↑",
  ArrowDown: "↓",
};

/** @typedef {{key: string, code: string, shiftKey: boolean, ctrlKey: boolean, altKey: boolean, metaKey: boolean, isComposing?: boolean, keyCode?: number}} Press */

/** Whether an input method is at work: its keys are not for us. @param {Press} press */
export const isComposing = (press) => Boolean(press.isComposing) || press.keyCode === 229;

/**
 * The names a key press may have in a binding, the most exact first.
 * Letters and digits also go by their place on the keyboard: layouts that have other letters, or
 * digits only with shift, work too.
 * @param {Press} press @returns {string[]}
 */
export function namesOf(press) {
  if (MODIFIERS.includes(press.key)) return [];
  const held = (press.ctrlKey || press.metaKey ? "Ctrl+" : "") + (press.altKey ? "Alt+" : "");
  const key = press.key === " " ? "Space" : press.key;
  const letter = /^\p{L}$/u.test(key);
  const shift = press.shiftKey ? "Shift+" : "";
  const names = key.length > 1 || letter ? [held + shift + (letter ? key.toLowerCase() : key)] : [held + key];
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(press.code ?? "");
  if (digit) names.push(held + shift + digit[1]);
  const place = /^Key([A-Z])$/.exec(press.code ?? "");
  if (place && !/^[a-z]$/i.test(key)) names.push(held + shift + place[1].toLowerCase());
  return names;
}

/**
 * @param {Object<string, string[]>} changed bindings of the config: they replace those of an action
 * @param {boolean} singles whether keys without a modifier that type something are used; if not,
 *   they need Alt
 * @returns {{actions: Map<string, string>, keys: Object<string, string[]>}}
 */
export function bind(changed, singles) {
  const given = Object.fromEntries(Object.entries(changed ?? {}).filter(([action]) => action in DEFAULTS));
  const taken = new Set(Object.values(given).flat());
  /** @type {Object<string, string[]>} */
  const keys = {};
  const actions = new Map();
  for (const [action, names] of Object.entries({ ...DEFAULTS, ...given })) {
    // A key that the config gives to one action is no longer another's.
    const own = names.filter((n) => action in given || !taken.has(n));
    keys[action] = singles ? own : own.map((n) => (isSingle(n) ? `Alt+${n}` : n));
    for (const name of keys[action]) actions.set(name, action);
  }
  return { actions, keys };
}

/** @param {string} name whether it types a character */
const isSingle = (name) => /^(Shift\+)?(.|Space)$/u.test(name);

/** A name as it is shown on a key cap. @param {string|undefined} name @returns {string} */
export function cap(name) {
  if (!name) return "";
  const parts = name === "+" ? ["+"] : name.split(/\+(?=.)/);
  const last = /** @type {string} */ (parts.pop());
  const marks = parts.map((p) => ({ Shift: "⇧", Alt: "Alt+", Ctrl: "Ctrl+" })[p] ?? "");
  return marks.join("") + (SHOWN[last] ?? last);
}
