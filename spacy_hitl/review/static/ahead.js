// The texts that come next are here before they are needed: painting one waits for nobody.

import { batch } from "./vendor/preact.js";
import { get, post, Refused } from "./api.js";
import * as drafts from "./drafts.js";
import { draftOf } from "./screen.js";
import { closedTabs, forgetTabs } from "./storage.js";
import { Stopwatch } from "./stopwatch.js";
import * as store from "./store.js";

/** @typedef {import("./model.js").Draft} Draft */

const MOST_HELD = 200; // digests the server takes in one request
const PAUSES = [1000, 2000, 5000, 10_000]; // milliseconds between tries to get more texts
const LOOK_AGAIN = 5000; // milliseconds, while others hold what is left

export const watch = new Stopwatch();
let tab = "";
/** @type {() => string[]} */
let unsent = () => [];
let fetching = false;
let wanted = false; // more texts, asked for while a request was under way
let failures = 0;
let over = false;
/** @type {ReturnType<typeof setTimeout>|undefined} */
let timer;

/** @param {string} name of this tab @param {() => string[]} digests of answers that the server has not seen */
export function begin(name, digests) {
  [tab, unsent] = [name, digests];
}

/** Nothing more is asked for. */
export function end() {
  over = true;
  clearTimeout(timer);
}

/** Have enough texts at hand. One request at a time: two would bring the same texts twice. */
export async function more() {
  wanted = true;
  if (fetching || over) return;
  const want = store.session.value.prefetch ?? 5;
  const { length } = store.line.value;
  if (store.draft.value && length > want / 2) return;
  fetching = true;
  wanted = false;
  clearTimeout(timer);
  try {
    const away = unsent().reverse();
    const held = [store.draft.value, ...store.line.value].map((d) => d?.screen.digest);
    const have = [...new Set([...held, ...away])].filter(Boolean).slice(0, MOST_HELD);
    if (failures) await sessionAgain(); // another server may have other tasks
    // What a closed tab had before it is this tab's now.
    const closed = await closedTabs();
    const reply = await post("/api/next", { n: want - length, have, tab, closed });
    forgetTabs(closed);
    failures = 0;
    await arrived(reply, away.length > 0);
  } catch (e) {
    if (!store.draft.value) stand(e);
    timer = setTimeout(more, PAUSES[Math.min(failures++, PAUSES.length - 1)]);
  } finally {
    fetching = false;
  }
  if (wanted && !failures) more();
}

/** @param {any} reply @param {boolean} behind whether the server had not seen all answers when it replied */
async function arrived(reply, behind) {
  batch(() => {
    if (reply.progress) store.progress.value = reply.progress;
    if (reply.calibration !== undefined)
      store.session.value = { ...store.session.value, calibration: reply.calibration };
  });
  const known = new Set([store.draft.value, ...store.line.value].map((d) => d?.screen.digest));
  const fresh = reply.screens.filter((/** @type {any} */ s) => !known.has(s.digest));
  if (fresh.some(hasOtherTasks)) await sessionAgain();
  store.line.value = [...store.line.value, ...fresh.map(draftFor)];
  const elapsed = store.draft.value ? undefined : await restoreDraft();
  if (!store.draft.value && store.line.value.length) advance(elapsed);
  if (store.draft.value) return;
  if (reply.state === "empty" && behind) {
    store.state.value = { name: "saving", message: "" };
    if (!unsent().length) wanted = true; // all of it was stored meanwhile: ask again
    return;
  }
  store.state.value = { name: reply.state === "ok" ? "waiting" : reply.state, message: reply.message ?? "" };
  if (reply.state !== "empty") timer = setTimeout(lookAgain, LOOK_AGAIN);
}

/** The server was started again, with other tasks. @param {any} screen */
const hasOtherTasks = (screen) =>
  store.session.value.tasks.some((/** @type {any} */ t) => !(t.name in screen.tasks)) ||
  Object.keys(screen.tasks).length !== store.session.value.tasks.length;

/** @param {any} screen */
export const draftFor = (screen) => draftOf(screen, store.session.value.tasks);

/** Others may have finished what this person waits for. */
async function lookAgain() {
  await sessionAgain().catch(() => {});
  more();
}

async function sessionAgain() {
  const s = await get("/api/session");
  batch(() => {
    store.session.value = s;
    store.progress.value = s.progress;
  });
}

/** Say why there is no text. @param {unknown} e */
export function stand(e) {
  const out = e instanceof Refused && e.status === 401;
  const name = out ? "signed-out" : e instanceof Refused ? "failing" : "offline";
  store.state.value = { name, message: e instanceof Refused ? e.message : "" };
}

/** Put a draft that was kept over a reload back in front. @returns {Promise<number|undefined>} milliseconds spent on it */
async function restoreDraft() {
  const kept = drafts.take();
  if (!kept) return;
  let found = store.line.value.find((d) => d.screen.digest === kept.digest);
  if (!found && kept.mode === "reopened") {
    const screen = await get("/api/screen", { digest: kept.digest }).catch(() => null);
    if (screen) found = draftFor(screen);
  }
  if (!found) return;
  store.line.value = [drafts.restore(found, kept), ...store.line.value.filter((d) => d !== found)];
  return kept.elapsed;
}

/** The next text, at once. @param {number} [elapsed] */
export function advance(elapsed) {
  const [next, ...rest] = store.line.value;
  batch(() => {
    store.line.value = rest;
    show(next ?? null, elapsed);
  });
}

/** @param {Draft|null} d @param {number} [elapsed] */
export function show(d, elapsed = 0) {
  drafts.take();
  watch.start(elapsed);
  store.draft.value = d;
  store.evidenceOpen.value = false;
  if (d) store.state.value = { name: "ready", message: "" };
  else if (store.state.value.name === "ready") store.state.value = { name: "loading", message: "" };
}

/** @param {Draft} d in front of what was being worked on */
export function openFirst(d) {
  const current = store.draft.value;
  const rest = store.line.value.filter((x) => x.screen.digest !== d.screen.digest);
  if (current && current.screen.digest !== d.screen.digest) rest.unshift(current);
  batch(() => {
    store.line.value = rest;
    show(d);
  });
}
