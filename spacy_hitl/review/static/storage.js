// What the browser keeps: answers on their way, the text being worked on, the name of this tab.

/** A store that works, if only for as long as the page is open. */
class Kept {
  /** @param {() => Storage} open */
  constructor(open) {
    /** @type {Map<string, string>} */
    this.memory = new Map();
    /** @type {Storage|null} */
    this.disk = null;
    try {
      this.disk = open();
    } catch {
      // Blocked by a setting of the browser: memory is all there is.
    }
  }
  /** @param {string} key @param {any} value @returns {boolean} whether it outlives the page */
  set(key, value) {
    const text = JSON.stringify(value);
    try {
      if (!this.disk) throw new Error("no storage");
      this.disk.setItem(key, text);
      this.memory.delete(key);
      return true;
    } catch {
      this.memory.set(key, text);
      return false;
    }
  }
  /** @param {string} key @returns {any} */
  get(key) {
    const text = this.memory.get(key) ?? this.disk?.getItem(key) ?? null;
    try {
      return text === null ? null : JSON.parse(text);
    } catch {
      return null;
    }
  }
  /** @param {string} key */
  remove(key) {
    this.memory.delete(key);
    this.disk?.removeItem(key);
  }
  /** @param {string} prefix @returns {string[]} sorted */
  keys(prefix) {
    const found = new Set([...this.memory.keys()].filter((k) => k.startsWith(prefix)));
    for (let i = 0; this.disk && i < this.disk.length; i++) {
      const key = this.disk.key(i);
      if (key?.startsWith(prefix)) found.add(key);
    }
    return [...found].sort();
  }
}

const MOST_TABS = 20; // in one request

export const local = new Kept(() => window.localStorage); // shared by all tabs, kept
export const ofTab = new Kept(() => window.sessionStorage); // survives a reload

/** @returns {string} a random identifier; crypto.randomUUID is there only on secure origins */
export function uid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((b) => b.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/**
 * The name of this tab, the same after a reload. A duplicated tab copies the name: it is held by a
 * lock for as long as the page is open, and who does not get the lock takes a new name.
 * @returns {Promise<string>}
 */
export async function nameTab() {
  const known = ofTab.get("hitl-tab");
  // After a reload the page before may need a moment to go.
  for (let tries = 0; known && tries < 4; tries++) {
    if (await hold(known)) return known;
    await new Promise((resolve) => setTimeout(resolve, 80));
  }
  const fresh = uid();
  ofTab.set("hitl-tab", fresh);
  ofTab.remove("hitl-draft");
  local.set(`hitl-tab:${fresh}`, Date.now());
  await hold(fresh);
  return fresh;
}

/** Tabs of this browser that are gone: nobody holds their lock. @returns {Promise<string[]>} their names */
export async function closedTabs() {
  const state = await navigator.locks?.query();
  if (!state) return [];
  const alive = new Set((state.held ?? []).map((lock) => lock.name));
  const names = local.keys("hitl-tab:").map((key) => key.slice("hitl-tab:".length));
  return names.filter((name) => !alive.has(`hitl-tab-${name}`)).slice(0, MOST_TABS);
}

/** Their texts were handed on. @param {string[]} names */
export const forgetTabs = (names) => names.forEach((name) => local.remove(`hitl-tab:${name}`));

/** @param {string} name @returns {Promise<boolean>} */
function hold(name) {
  const { locks } = navigator;
  if (!locks) return Promise.resolve(true); // not a secure origin: no locks, and no harm but double work
  return new Promise((resolve) => {
    locks.request(`hitl-tab-${name}`, { ifAvailable: true }, (lock) => {
      resolve(Boolean(lock));
      return lock ? new Promise(() => {}) : undefined; // held until the page goes
    });
  });
}

/** Run alone among all tabs of this browser. @template T @param {string} name @param {() => Promise<T>} work @returns {Promise<T>} */
export const alone = (name, work) => (navigator.locks ? navigator.locks.request(name, work) : work());
