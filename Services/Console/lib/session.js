// Who is signed in. The access token lives in memory only; the refresh token is a cookie that scripts cannot read.

import { Api, Problem } from "./api.js";
import { useTimeZone } from "./format.js";
import { grants } from "./permissions.js";

const RENEW_BEFORE_END = 60_000;
const TENANT_KEY = "erm.tenant";

export class Session extends EventTarget {
  #token = null;
  /** Whose the token is. */
  #subject = null;
  #endsAt = 0;
  #renewal = null;
  #operatorKey = null;
  #tabs = new BroadcastChannel("erm.session");

  constructor() {
    super();
    this.me = null;
    /** The tenant's, for every time that is shown; the browser's for the operator, and while the tenant's cannot be found out. */
    this.timeZone = "UTC";
    this.api = new Api({ token: () => this.#current(), renew: (stale) => this.#renewed(stale) });
    this.#tabs.onmessage = ({ data }) => {
      // The operator's key has nothing to do with the browser's cookie.
      if (data === "ended" && this.me && !this.#operatorKey) this.#forget("You signed out in another tab.");
    };
  }

  /** The tenant named at the last sign-in, to fill the field. */
  get lastTenant() { return localStorage.getItem(TENANT_KEY) ?? ""; }

  /** Takes up the session of an earlier visit, if its cookie still opens one. */
  async resume() {
    if (await this.#renewed(null)) await this.#look();
    return this.me;
  }

  /** @throws {Problem} */
  async signIn(tenant, email, password) {
    const headers = { "Content-Type": "application/json" };
    if (tenant) headers["X-Tenant-ID"] = tenant;
    let response;
    try {
      response = await fetch("/api/v1/auth/login?session=cookie", {
        method: "POST", headers, body: JSON.stringify({ email, password }),
      });
    } catch { throw Problem.network(); }
    const body = await response.json().catch(() => null);
    if (!response.ok) throw new Problem(response.status, body);
    this.#take(body.data);
    if (tenant) localStorage.setItem(TENANT_KEY, tenant);
    await this.#look();
  }

  /** The platform operator shows a key instead of a login; it is kept in memory only. */
  async signInAsOperator(key) {
    this.#operatorKey = key;
    try {
      await this.#look();
    } catch (error) {
      this.#operatorKey = null;
      throw error;
    }
  }

  /** @throws {Problem} when the server did not end the session: the cookie would open it again. */
  async signOut() {
    if (!this.#operatorKey) {
      const response = await fetch("/api/v1/auth/logout", { method: "POST" }).catch(() => null);
      if (!response?.ok && response?.status !== 401) throw new Problem(response?.status ?? 0, { error: "The server could not end the session: you are still signed in. Try again.", code: "network" });
      this.#tabs.postMessage("ended");
    }
    this.#forget(null);
  }

  /** Whether the signed-in principal may do this: the controls of what would be refused are not shown. */
  can(action, resource) {
    if (!this.me || this.isOperator) return false;
    return grants(this.me.permissions, action, resource);
  }

  get isOperator() { return this.me?.kind === "platform_operator"; }

  async #look() {
    const { data } = await this.api.get("/auth/me");
    this.me = data;
    this.moveTo(data.timeZone ?? new Intl.DateTimeFormat().resolvedOptions().timeZone);
    this.dispatchEvent(new Event("change"));
  }

  /** Times are shown in this zone from now on; in UTC where the browser does not know the zone. */
  moveTo(timeZone) {
    this.timeZone = isTimeZone(timeZone) ? timeZone : "UTC";
    useTimeZone(this.timeZone);
  }

  #take(tokens) {
    this.#token = tokens.accessToken;
    this.#subject = subjectOf(tokens.accessToken);
    this.#endsAt = Date.now() + tokens.expiresIn * 1000;
  }

  async #current() {
    if (this.#operatorKey) return this.#operatorKey;
    if (this.#token && Date.now() > this.#endsAt - RENEW_BEFORE_END) return this.#renewed(this.#token);
    return this.#token;
  }

  /** A new access token, asked for once however many requests wait; null when the session is over. */
  async #renewed(stale) {
    if (this.#operatorKey) return null;
    if (stale !== null && stale !== this.#token && this.#token) return this.#token;
    this.#renewal ??= this.#renew().finally(() => { this.#renewal = null; });
    return this.#renewal;
  }

  async #renew() {
    for (let attempt = 0; ; attempt += 1) {
      let response;
      try {
        response = await fetch("/api/v1/auth/refresh", { method: "POST" });
      } catch {
        if (attempt >= 5) throw Problem.network();
        await new Promise((resolve) => setTimeout(resolve, 500 * 2 ** attempt));
        continue;
      }
      if (response.ok) {
        const { data: tokens } = await response.json();
        // The cookie is that of the last sign-in in any tab: what is on this page is another user's.
        if (this.me && subjectOf(tokens.accessToken) !== this.#subject) {
          this.#forget("Somebody else has signed in in another tab.");
          return null;
        }
        this.#take(tokens);
        return this.#token;
      }
      if (response.status === 503 && attempt < 5) {
        await new Promise((resolve) => setTimeout(resolve, 500 * 2 ** attempt));
        continue;
      }
      const wasSignedIn = this.me !== null;
      this.#token = null;
      // What was typed stays on the page: the sign-in dialog comes over it.
      if (wasSignedIn) this.dispatchEvent(new Event("expired"));
      return null;
    }
  }

  #forget(reason) {
    this.#token = null;
    this.#subject = null;
    this.#operatorKey = null;
    this.me = null;
    this.dispatchEvent(new CustomEvent("end", { detail: reason }));
  }
}

/** Tenant and user of an access token (a JWT); the server alone judges whether it is good. */
function subjectOf(token) {
  const claims = JSON.parse(atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/")));
  return `${claims.tenant}/${claims.sub}`;
}

function isTimeZone(name) {
  try { return Boolean(new Intl.DateTimeFormat("en", { timeZone: name })); } catch { return false; }
}
