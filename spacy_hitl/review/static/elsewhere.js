// One decision on a surface form, offered for its other places: seen first, vetoed one by one.

import { get, post, Refused } from "./api.js";
import { find, wordsOf } from "./model.js";
import { uid } from "./storage.js";
import { answered, draft, dialog, offer, progress, say } from "./store.js";

const STAYS = 3; // texts, then an offer that nobody took goes

/** @typedef {{task: string, start: number, end: number, label: string|null}} Correction */

/** @param {any[]} occurrences those that would change */
const changing = (occurrences) => occurrences.filter((o) => o.differs && !o.blocked);

/** After a correction was stored: does the same form stand elsewhere? @param {string} digest @param {Correction[]} corrections */
export async function lookElsewhere(digest, corrections) {
  const added = corrections.filter((c) => c.label !== null);
  // A deleted span that a better one replaced is no decision against its words.
  const rest = corrections.filter(
    (c) => c.label === null && !added.some((a) => a.task === c.task && a.start < c.end && c.start < a.end),
  );
  for (const c of [...added, ...rest].slice(0, 3)) {
    const found = await post("/api/occurrences", { digest, ...c }).catch(() => null);
    if (found && changing(found.occurrences).length) {
      offer.value = { ...found, task: c.task, label: c.label, mode: "propagated", until: answered.value + STAYS };
      return;
    }
  }
}

/** The active span's decision, everywhere else; or the one on offer. */
export async function openElsewhere() {
  if (offer.value) {
    dialog.value = { name: "elsewhere", ...offer.value };
    offer.value = null;
    return;
  }
  const d = draft.value;
  const item = d ? find(d, d.active) : undefined;
  if (!d || item?.type !== "span") return say("Choose a span first: the same words are then looked for in all texts");
  if (d.screen.blind) return say("A blind text is never carried over to others");
  const label = item.state === "on" ? item.label : null;
  try {
    const found = await post("/api/occurrences", {
      digest: d.screen.digest,
      task: item.task,
      start: item.start,
      end: item.end,
      label,
    });
    if (!found.occurrences.length) return say(`“${wordsOf(d, item.start, item.end)}” stands in no other text`);
    dialog.value = { name: "elsewhere", ...found, task: item.task, label, mode: "propagated" };
  } catch (e) {
    say(e instanceof Refused ? e.message : "The server can't be reached", true);
  }
}

/** @param {any} what the dialog's content @param {string[]} ids the places that were not vetoed @returns {Promise<{uid: string, saved: number}|null>} */
export async function applyElsewhere(what, ids) {
  const body = { uid: uid(), task: what.task, form: what.form, label: what.label, ids, mode: what.mode };
  try {
    const reply = await post("/api/propagate", body);
    if (reply.progress) progress.value = reply.progress;
    say(`Decided in ${reply.saved} ${reply.saved === 1 ? "text" : "texts"}`);
    return { uid: body.uid, saved: reply.saved };
  } catch (e) {
    say(e instanceof Refused ? e.message : "The server can't be reached: nothing was changed", true);
    return null;
  }
}

/** @param {string} task @param {number} offset */
export const formsOf = (task, offset) => get("/api/consistency", { task, offset });

/** @param {string} task @param {string} form @param {string|null} label */
export const placesOf = (task, form, label) => post("/api/occurrences", { task, form, label, mode: "consistency" });
