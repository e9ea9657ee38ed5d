// How long a text was in front of a person: only while the page is visible, on a clock that is
// never set back.

export class Stopwatch {
  constructor() {
    this.before = 0; // milliseconds
    this.since = performance.now();
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.before = this.elapsed;
      this.since = performance.now();
    });
  }
  get elapsed() {
    return this.before + (document.hidden ? 0 : performance.now() - this.since);
  }
  /** @param {number} from milliseconds already spent */
  start(from = 0) {
    this.before = from;
    this.since = performance.now();
  }
}
