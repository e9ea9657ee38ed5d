// Answers on their way to the server. Each is kept by the browser until the server says that it is
// stored: a closed tab, a dead server or a full disk loses none. Sending twice does no harm, each
// has a uid that the server knows again.

import { post, Refused } from "./api.js";
import { alone, local, uid } from "./storage.js";

/**
 * @typedef {{uid: string, kind: "answer"|"undo"|"preference", body: any, text: string}} Entry
 *   text: how it is shown if it is refused
 * @typedef {{state: "saved"|"saving"|"offline"|"signed-out"|"failing", message: string}} Net
 */

const PATHS = { answer: "/api/answers", undo: "/api/undo", preference: "/api/preference" };
const MOST = 50; // answers in one request
const WAITS = [300, 1000, 2000, 4000, 8000, 15_000]; // milliseconds between tries

export class Outbox {
  /**
   * @param {string} owner dataset and annotator
   * @param {{net: (net: Net) => void, saved: (entry: Entry, reply: any) => void,
   *   refused: (entry: Entry, message: string) => void, fragile: () => void, count: (n: number) => void}} on
   */
  constructor(owner, on) {
    this.prefix = `hitl-out:${owner}:`;
    this.refusedPrefix = `hitl-no:${owner}:`;
    this.on = on;
    this.sending = false;
    this.tries = 0;
    this.last = 0;
    /** @type {number|undefined} */
    this.timer = undefined;
    this.durable = true;
    window.addEventListener("storage", (e) => {
      if (!e.key || e.key.startsWith(this.prefix)) this.on.count(this.size);
    });
    window.addEventListener("online", () => this.retry());
    window.addEventListener("beforeunload", (e) => {
      if (this.size && (this.tries || !this.durable)) e.preventDefault();
    });
  }

  /** @returns {string[]} keys of what is not acknowledged, oldest first */
  get keys() {
    return local.keys(this.prefix);
  }
  get size() {
    return this.keys.length;
  }
  /** @returns {Entry[]} */
  get entries() {
    return this.keys.map((k) => local.get(k)).filter(Boolean);
  }

  /** @param {Entry["kind"]} kind @param {any} body @param {string} text @returns {Entry} */
  add(kind, body, text) {
    const entry = { uid: body.uid ?? uid(), kind, body, text };
    // Later than all before it, also when the clock was set back.
    const newest = Math.max(this.last, ...this.keys.map((k) => Number(k.slice(this.prefix.length).split("-")[0])));
    this.last = Math.max(Date.now(), newest + 1);
    const key = `${this.prefix}${String(this.last).padStart(15, "0")}-${entry.uid}`;
    const kept = local.set(key, entry);
    if (!kept && this.durable) this.on.fragile();
    this.durable = kept;
    this.on.count(this.size);
    this.flush();
    return entry;
  }

  /** Try now, not at the end of the wait. */
  retry() {
    this.tries = 0;
    this.flush();
  }

  /** Send what there is; one request at a time, over all tabs. */
  async flush() {
    if (this.sending) return;
    this.sending = true;
    clearTimeout(this.timer);
    try {
      while (this.size) {
        if (!this.tries) this.on.net({ state: "saving", message: "" });
        await alone(this.prefix, () => this.sendSome());
        this.tries = 0;
      }
      this.on.net({ state: "saved", message: "" });
    } catch (e) {
      this.on.net(stateOf(e));
      this.timer = setTimeout(() => this.flush(), WAITS[Math.min(this.tries, WAITS.length - 1)]);
      this.tries += 1;
    } finally {
      this.sending = false;
    }
  }

  /** One request: a run of answers, or one of the rest. */
  async sendSome() {
    const { keys } = this; // another tab may have sent them while this one waited for its turn
    /** @type {{key: string, entry: Entry}[]} */
    const all = [];
    for (const key of keys) {
      const entry = local.get(key);
      if (entry) all.push({ key, entry });
      else local.remove(key);
    }
    if (!all.length) return;
    const stop = all.findIndex((x) => x.entry.kind !== "answer");
    const some = stop < 0 ? all.slice(0, MOST) : stop === 0 ? all.slice(0, 1) : all.slice(0, Math.min(stop, MOST));
    await this.send(some);
  }

  /** @param {{key: string, entry: Entry}[]} some */
  async send(some) {
    const [{ entry }] = some;
    const body = entry.kind === "answer" ? { answers: some.map((x) => x.entry.body) } : entry.body;
    let reply;
    try {
      reply = await post(PATHS[entry.kind], body);
    } catch (e) {
      if (!(e instanceof Refused) || e.passing) throw e;
      // One of them can't be read at all: find out which.
      if (some.length > 1) for (const one of some) await this.send([one]);
      else this.refuse(some[0], e.message);
      return;
    }
    if (entry.kind !== "answer") return this.settle(some[0], reply);
    const no = new Map((reply.refused ?? []).map((/** @type {any} */ r) => [r.uid, String(r.error)]));
    const lost = some.filter((x) => !no.has(x.entry.uid) && !reply.saved?.includes(x.entry.uid));
    for (const x of some) {
      const why = no.get(x.entry.uid);
      if (why !== undefined) this.refuse(x, why);
      else if (!lost.includes(x)) this.settle(x, reply);
    }
    // Neither stored nor refused by name: what can't be read is refused, when it is sent alone.
    if (lost.length && some.length === 1)
      this.refuse(lost[0], no.values().next().value ?? "The server did not store it");
    else for (const one of lost) await this.send([one]);
  }

  /** @param {{key: string, entry: Entry}} x @param {any} reply */
  settle({ key, entry }, reply) {
    local.remove(key);
    performance.mark(`hitl-ack:${entry.uid}`);
    this.on.count(this.size);
    this.on.saved(entry, reply);
  }

  /** Never sent again: kept apart until a person has seen it. @param {{key: string, entry: Entry}} x @param {string} message */
  refuse({ key, entry }, message) {
    local.set(this.refusedPrefix + entry.uid, { entry, message });
    local.remove(key);
    this.on.count(this.size);
    this.on.refused(entry, message);
  }

  /** @returns {{entry: Entry, message: string}[]} what the server refused and nobody has put away */
  get refusals() {
    return local
      .keys(this.refusedPrefix)
      .map((k) => local.get(k))
      .filter(Boolean);
  }

  /** @param {string} uid_ */
  putAway(uid_) {
    local.remove(this.refusedPrefix + uid_);
  }
}

/** @param {unknown} e @returns {Net} */
function stateOf(e) {
  if (!(e instanceof Refused)) return { state: "offline", message: "The server can't be reached" };
  if (e.status === 401) return { state: "signed-out", message: e.message };
  return { state: "failing", message: e.message };
}
