// Colours of labels: by their place among all labels of the screen, so that they stay the same.

const COLOURS = 10; // custom properties --c0 to --c9 of the stylesheet

/** @param {import("./model.js").TaskInfo[]} tasks @param {string} task @param {string} label @returns {number} */
export function colourOf(tasks, task, label) {
  let before = 0;
  for (const t of tasks) {
    const at = t.labels.indexOf(label);
    if (t.name === task) return (before + Math.max(at, 0)) % COLOURS;
    before += t.labels.length;
  }
  return 0;
}
