// A person's steps: answer, prefer, go back, open again, finish; and what the server says to them.

import { batch, effect } from "./vendor/preact.js";
import { advance, begin, draftFor, end, more, openFirst, stand, watch } from "./ahead.js";
import { get, post, Refused } from "./api.js";
import * as drafts from "./drafts.js";
import { lookElsewhere } from "./elsewhere.js";
import { activate } from "./model.js";
import { Outbox } from "./outbox.js";
import { answerOf, correctionsOf, editsOf, gap, summaryOf } from "./screen.js";
import { nameTab, uid } from "./storage.js";
import * as store from "./store.js";
import { say } from "./store.js";

/** @typedef {import("./model.js").Draft} Draft */

const KEPT = 50; // answers that can be gone back to without asking the server
const TRY_AGAIN = 2000; // milliseconds, until there is a session

/** @type {Outbox} */
export let outbox;
/** @type {{uid: string, draft: Draft|null}[]} what Backspace takes back, the newest last */
let trail = [];
/** @type {Map<string, {digest: string, corrections: any[]}>} */
const corrected = new Map();

export async function start() {
  try {
    store.session.value = await get("/api/session");
  } catch (e) {
    stand(e);
    setTimeout(start, TRY_AGAIN);
    return;
  }
  const s = store.session.value;
  batch(() => {
    store.progress.value = s.progress;
    store.clock.value = s.clock;
  });
  outbox = new Outbox(`${s.dataset ?? s.project}:${s.annotator}`, {
    net: (net) => {
      store.net.value = net;
    },
    count: (n) => {
      store.pending.value = n;
      if (!n && store.state.value.name === "saving") more(); // another tab may have sent the last ones
    },
    fragile: () => say("This browser keeps nothing: leave the page open until everything is saved", true),
    saved: onSaved,
    refused: onRefused,
  });
  store.pending.value = outbox.size;
  store.refusals.value = outbox.refusals;
  window.addEventListener("storage", () => {
    store.refusals.value = outbox.refusals;
  });
  outbox.flush();
  effect(() => drafts.keep(store.draft.value, watch.elapsed));
  begin(await nameTab(), () => outbox.entries.filter((e) => e.kind !== "undo").map((e) => e.body.digest));
  await more();
  refreshHistory();
}

/** Answer, and go on at once: the next text is here already. @param {"accept"|"reject"|"skip"} action */
export function finish(action) {
  const d = store.draft.value;
  if (!d) return;
  const missing = action === "accept" ? gap(d) : null;
  if (missing) {
    if (missing.key !== null) store.draft.value = activate(d, missing.key);
    return say(missing.message, true);
  }
  const answer = {
    uid: uid(),
    digest: d.screen.digest,
    action,
    flagged: d.flagged,
    note: d.note.trim() || null,
    seconds: Math.round(watch.elapsed) / 1000,
    mode: d.screen.mode,
    edits: editsOf(d),
    tasks: action === "accept" ? answerOf(d) : {},
  };
  const put = action === "skip" && d.flagged ? "put aside" : `${action}ed`.replace("skiped", "skipped");
  if (action === "accept" && !d.screen.blind)
    corrected.set(answer.uid, { digest: answer.digest, corrections: correctionsOf(d) });
  leave(d, answer.uid, action, action === "accept" ? summaryOf(d) : put);
  outbox.add("answer", answer, beginning(d));
}

/** Say which of two versions is better. @param {"first"|"second"|"both"|"neither"} choice */
export function prefer(choice) {
  const d = store.draft.value;
  if (!d || d.screen.kind !== "compare") return;
  const { digest, shown, versions } = d.screen;
  const sent = Object.keys(versions[0].tasks).map((task) => ({ uid: uid(), digest, task, choice, shown }));
  leave(
    d,
    sent[0].uid,
    "compare",
    { first: "left is better", second: "right is better", both: "both are fine", neither: "neither is" }[choice],
  );
  for (const body of sent) outbox.add("preference", body, beginning(d));
}

/** @param {Draft} d @param {string} uid_ @param {string} action @param {string} summary */
function leave(d, uid_, action, summary) {
  performance.mark("hitl-key");
  if (action !== "compare") trail = [...trail, { uid: uid_, draft: d }].slice(-KEPT);
  const row = {
    uid: uid_,
    digest: d.screen.digest,
    text: beginning(d),
    action,
    time: Date.now() / 1000,
    flagged: d.flagged,
    mode: d.screen.mode,
    summary,
  };
  batch(() => {
    store.answered.value += 1;
    if (store.offer.value && store.answered.value > store.offer.value.until) store.offer.value = null;
    store.answers.value = [row, ...store.answers.value.filter((x) => x.digest !== row.digest)].slice(0, 10);
    advance();
  });
  requestAnimationFrame(() => setTimeout(() => performance.mark("hitl-painted")));
  queueMicrotask(more);
}

/** @param {Draft} d @returns {string} the first characters of a text */
export const beginning = (d) =>
  d.screen.tokens
    .slice(0, 40)
    .map((/** @type {[string, number]} */ [t, s]) => t + (s ? " " : ""))
    .join("")
    .slice(0, 120);

/** Take the last answer back and open its text again. */
export function back() {
  const last = trail.at(-1);
  trail = trail.slice(0, -1);
  outbox.add(
    "undo",
    { uid: uid(), undoes: last?.uid ?? null },
    last?.draft ? beginning(last.draft) : "the answer before",
  );
  if (!last) return say("Taking back the answer before…");
  store.answers.value = store.answers.value.filter((x) => x.uid !== last.uid);
  corrected.delete(last.uid);
  store.offer.value = null;
  if (!last.draft) return;
  openFirst(last.draft);
  say("Taken back");
}

/** A decision on many texts is taken back as one. @param {string} uid_ @param {string} text @param {string} summary */
export function rememberGroup(uid_, text, summary) {
  trail = [...trail, { uid: uid_, draft: null }].slice(-KEPT);
  const row = { uid: uid_, digest: null, text, action: "everywhere", time: Date.now() / 1000, flagged: false, summary };
  store.answers.value = [row, ...store.answers.value].slice(0, 10);
}

/** Open an answered text again. @param {string} digest */
export async function reopen(digest) {
  const local = trail.findLast((t) => t.draft?.screen.digest === digest)?.draft;
  const unsent = outbox.entries.some((e) => e.body.digest === digest);
  try {
    if (unsent && local) throw new Error("not stored yet");
    openFirst(draftFor(await get("/api/screen", { digest })));
  } catch (e) {
    if (!local) return say(e instanceof Refused ? e.message : "The server can't be reached: try again later", true);
    openFirst({ ...local, screen: { ...local.screen, mode: "reopened", why: "opened again" }, past: [], future: [] });
  }
}

/** @param {import("./outbox.js").Entry} entry @param {any} reply */
function onSaved(entry, reply) {
  batch(() => {
    if (reply.progress) store.progress.value = reply.progress;
    if (reply.clock) store.clock.value = reply.clock;
  });
  if (entry.kind === "undo" && entry.body.undoes === null) {
    if (reply.screen) openFirst(draftFor(reply.screen));
    else say("There is no answer to take back");
    refreshHistory();
  }
  if (entry.kind === "undo" && reply.digests?.length > 1) say(`Taken back on ${reply.digests.length} texts`);
  const found = corrected.get(entry.uid);
  corrected.delete(entry.uid);
  if (found?.corrections.length) lookElsewhere(found.digest, found.corrections);
  if (!store.draft.value) more();
}

/** @param {import("./outbox.js").Entry} entry @param {string} message */
function onRefused(entry, message) {
  corrected.delete(entry.uid);
  if (entry.kind === "undo") {
    outbox.putAway(entry.uid);
    return say(message, true);
  }
  store.refusals.value = outbox.refusals;
  store.answers.value = store.answers.value.map((x) => (x.uid === entry.uid ? { ...x, refused: true } : x));
  trail = trail.filter((t) => t.uid !== entry.uid);
  say(`An answer was refused: ${message}`, true);
}

/** @param {string} uid_ */
export function putAway(uid_) {
  outbox.putAway(uid_);
  store.refusals.value = outbox.refusals;
}

export async function refreshHistory() {
  const found = await get("/api/history", { n: 10 }).catch(() => null);
  if (found && !outbox.size) store.answers.value = found.answers;
}

/** End the session for everybody: the server ends with exit code 0. */
export async function finishSession() {
  try {
    await post("/api/finish", {});
  } catch (e) {
    return say(e instanceof Refused ? e.message : "The server can't be reached", true);
  }
  end();
  batch(() => {
    store.dialog.value = null;
    store.draft.value = null;
    store.line.value = [];
    store.state.value = { name: "finished", message: "" };
  });
}
