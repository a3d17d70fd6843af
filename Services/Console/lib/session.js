// Who is signed in. The access token lives in memory only; the refresh token is a cookie that scripts cannot read.

import { Api, Problem } from "./api.js";
import { useTimeZone } from "./format.js";
import { grants } from "./permissions.js";

const RENEW_BEFORE_END = 60_000;
const TENANT_KEY = "erm.tenant";

export class Session extends EventTarget {
  #token = null;
  #endsAt = 0;
  #renewal = null;
  #operatorKey = null;
  #tabs = new BroadcastChannel("erm.session");

  constructor() {
    super();
    this.me = null;
    /** The tenant's, for every time that is shown. */
    this.timeZone = "UTC";
    this.api = new Api({ token: () => this.#current(), renew: (stale) => this.#renewed(stale) });
    this.#tabs.onmessage = ({ data }) => {
      if (data === "ended") this.#forget("You signed out in another tab.");
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

  async signOut() {
    try {
      if (!this.#operatorKey) await fetch("/api/v1/auth/logout", { method: "POST" });
    } finally {
      this.#tabs.postMessage("ended");
      this.#forget(null);
    }
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
    this.timeZone = await this.#zone();
    useTimeZone(this.timeZone);
    this.dispatchEvent(new Event("change"));
  }

  async #zone() {
    if (!this.can("read", "settings")) return "UTC";
    try {
      const { data } = await this.api.get("/settings");
      return (data.settings ?? data).timezone || "UTC";
    } catch { return "UTC"; }
  }

  #take(tokens) {
    this.#token = tokens.accessToken;
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
        this.#take((await response.json()).data);
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
    this.#operatorKey = null;
    this.me = null;
    this.dispatchEvent(new CustomEvent("end", { detail: reason }));
  }
}
