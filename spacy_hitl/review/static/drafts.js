// The text that is being worked on, kept by the tab: a reload in the middle loses nothing.

import { ofTab } from "./storage.js";

/** @typedef {import("./model.js").Draft} Draft */

const KEY = "hitl-draft";

/** @param {Draft|null} d @param {number} elapsed milliseconds spent on it */
export function keep(d, elapsed) {
  if (!d || !(d.past.length || d.flagged || d.note)) return;
  const { items, nextKey, flagged, note } = d;
  ofTab.set(KEY, { digest: d.screen.digest, mode: d.screen.mode, items, nextKey, flagged, note, elapsed });
}

/** @returns {any} what was kept, which is then forgotten */
export function take() {
  const kept = ofTab.get(KEY);
  ofTab.remove(KEY);
  return kept;
}

/** Go on where it was left; one step back undoes all of it. @param {Draft} d as it was shown @param {any} kept @returns {Draft} */
export function restore(d, kept) {
  const { items, nextKey, flagged, note } = kept;
  return { ...d, items, nextKey, flagged, note, past: [{ items: d.items, active: null }] };
}
