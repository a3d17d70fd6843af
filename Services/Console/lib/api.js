// The public API over fetch: one envelope, one kind of failure, retries where they are safe.

/** A failure that the API explained (RFC 9457), or `network` when there was no answer. */
export class Problem extends Error {
  constructor(status, body) {
    super(body?.error ?? body?.detail ?? `The server answered ${status}.`);
    this.status = status;
    this.code = body?.code ?? "unknown";
    this.errors = body?.errors ?? [];
    this.requestId = body?.requestId ?? null;
  }

  static network() {
    return new Problem(0, { error: "The server cannot be reached. Check the connection and try again.", code: "network" });
  }
}

/** Together longer than a server takes to start again. */
const RETRY_DELAYS = [400, 1200, 3000, 6000, 8000];

export class Api {
  /** @param {{token: () => Promise<string|null>, renew: (stale: string) => Promise<string|null>}} credentials */
  constructor(credentials) {
    this.credentials = credentials;
  }

  /** How many requests wait for an answer, and how many of them have found no server so far. */
  waiting = 0;
  unanswered = 0;
  /** Called whenever one of the two changes. */
  onwait = () => {};

  #count(name, step) {
    this[name] += step;
    this.onwait();
  }

  get(path, query, options = {}) { return this.send("GET", path, { ...options, query }); }
  post(path, body, options = {}) { return this.send("POST", path, { ...options, body }); }
  put(path, body, options = {}) { return this.send("PUT", path, { ...options, body }); }
  patch(path, body, options = {}) { return this.send("PATCH", path, { ...options, body }); }
  delete(path, options = {}) { return this.send("DELETE", path, options); }

  /**
   * One exchange.
   *
   * Reads, and writes that carry an idempotency key, are tried again when the network fails or the server asks for
   * patience; an access token that has expired is renewed once.
   *
   * @returns {Promise<{data: any, page: {nextCursor: string|null}|undefined, warnings: any[], tag: string|null, response: Response}>}
   * @throws {Problem}
   */
  async send(method, path, options = {}) {
    const response = await this.response(method, path, options);
    if (response.status === 204) return { data: null, tag: null, warnings: [], response };
    const body = await response.json();
    return {
      data: body.data, page: body.page, warnings: body.warnings ?? [], tag: response.headers.get("ETag"), response,
    };
  }

  /** The raw answer, once it is a success. */
  async response(method, path, options = {}) {
    this.#count("waiting", 1);
    try {
      return await this.#attempts(method, path, options);
    } finally {
      this.#count("waiting", -1);
    }
  }

  async #attempts(method, path, options) {
    const mayRepeat = method === "GET" || options.once !== undefined;
    let renewed = false;
    for (let attempt = 0; ; attempt += 1) {
      const token = await this.credentials.token();
      let response;
      try {
        response = await fetch(address(path, options.query), this.request(method, token, options));
      } catch (error) {
        if (error.name === "AbortError") throw error;
        if (!mayRepeat || attempt >= RETRY_DELAYS.length) throw Problem.network();
        this.#count("unanswered", 1);
        await pause(RETRY_DELAYS[attempt], options.signal).finally(() => this.#count("unanswered", -1));
        continue;
      }
      if (response.ok) return response;
      if (response.status === 401 && token && !renewed) {
        renewed = true;
        if (await this.credentials.renew(token)) continue;
      }
      // What was refused for the rate alone was not done: every request may be sent again.
      if ((response.status === 429 || (response.status === 503 && mayRepeat)) && attempt < RETRY_DELAYS.length) {
        const asked = Number(response.headers.get("Retry-After"));
        await pause(asked > 0 && asked <= 10 ? asked * 1000 : RETRY_DELAYS[attempt], options.signal);
        continue;
      }
      throw new Problem(response.status, await response.json().catch(() => null));
    }
  }

  request(method, token, { body, headers = {}, tag, once, signal, file }) {
    const fields = new Headers(headers);
    if (token) fields.set("Authorization", `Bearer ${token}`);
    if (tag) fields.set("If-Match", tag);
    if (once) fields.set("Idempotency-Key", once);
    if (file === undefined && body !== undefined) fields.set("Content-Type", "application/json");
    return { method, headers: fields, signal, body: file ?? (body === undefined ? undefined : JSON.stringify(body)) };
  }

  /** Every item of a list, page by page. */
  async *pages(path, query = {}, options = {}) {
    let cursor;
    do {
      const { data, page } = await this.get(path, { limit: 500, ...query, cursor }, options);
      yield data;
      cursor = page?.nextCursor ?? undefined;
    } while (cursor);
  }

  async all(path, query, options) {
    const items = [];
    for await (const page of this.pages(path, query, options)) items.push(...page);
    return items;
  }
}

function address(path, query = {}) {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of [value].flat()) if (one !== undefined && one !== null && one !== "") parameters.append(name, one);
  }
  const text = parameters.toString();
  return `/api/v1${path}${text ? `?${text}` : ""}`;
}

function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const settled = new AbortController();
    const settle = (action) => {
      clearTimeout(timer);
      settled.abort();
      action();
    };
    const timer = setTimeout(() => settle(resolve), milliseconds);
    signal?.addEventListener("abort", () => settle(() => reject(signal.reason)), { signal: settled.signal });
    // The network is back: no reason to wait on.
    globalThis.addEventListener("online", () => settle(resolve), { signal: settled.signal });
  });
}
