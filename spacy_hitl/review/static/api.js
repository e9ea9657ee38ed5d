// Talking to the server: JSON both ways, and the difference between "no" and "nobody there".

export class Refused extends Error {
  /** The server understood and said no. @param {number} status @param {string} message */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
  /** Whether the same request may work later: no space, no database, too busy. */
  get passing() {
    return this.status >= 500 || this.status === 401 || this.status === 408 || this.status === 429;
  }
}

export class Unreachable extends Error {}

const PATIENCE = 30_000; // milliseconds

/** @param {string} path @param {RequestInit} options */
async function request(path, options) {
  let response;
  let body;
  try {
    response = await fetch(path, { ...options, credentials: "same-origin", signal: AbortSignal.timeout(PATIENCE) });
    body = await response.text();
  } catch (e) {
    throw new Unreachable(String(e));
  }
  let value;
  try {
    value = JSON.parse(body);
  } catch {
    // Not our server, or a proxy before it that has no answer.
    throw response.ok
      ? new Unreachable("not JSON")
      : new Refused(response.status, `The server answered ${response.status}`);
  }
  if (!response.ok)
    throw new Refused(response.status, String(value?.error ?? `The server answered ${response.status}`));
  return value;
}

/** @param {string} path @param {Object<string, string|number>} query */
export const get = (path, query = {}) => {
  const pairs = Object.entries(query).map(([k, v]) => [k, String(v)]);
  return request(pairs.length ? `${path}?${new URLSearchParams(pairs)}` : path, {});
};

/** @param {string} path @param {any} body */
export const post = (path, body) =>
  request(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Hitl": "1" },
    body: JSON.stringify(body),
  });
