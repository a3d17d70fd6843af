// What surrounds every page: navigation, who is signed in, and the place where the page stands.

import { h, replace } from "../lib/dom.js";
import { button } from "./controls.js";
import { icon } from "./icons.js";

const THEME_KEY = "erm.theme";

/** Groups of pages, each with an action and the resources of which one must allow it; what a principal may not read is not offered. */
const NAVIGATION = [
  ["Plan", [
    ["board", "Board", "board", ["read", "allocations"]],
    ["ask", "Ask", "ask", ["predict", "ml"]],
    ["reports", "Reports", "reports", ["read", "reports"]],
  ]],
  ["Records", [
    ["people", "People", "people", ["read", "employees"]],
    ["projects", "Projects", "projects", ["read", "projects"]],
    ["skills", "Skills", "skills", ["read", "skills"]],
  ]],
  ["Learn", [["models", "Models", "models", ["read", "ml"]]]],
  ["Manage", [
    ["import", "Import", "import", ["write", "imports"]],
    ["administration", "Administration", "settings", ["read", "users", "roles", "api_keys", "settings", "audit", "usage"]],
  ]],
];
const OPERATOR_NAVIGATION = [["Platform", [["operator", "Tenants", "operator", null], ["health", "Health", "health", null]]]];

export class Shell {
  constructor(session, root) {
    this.session = session;
    this.main = h("main", { id: "main", class: "main", tabindex: "-1" });
    this.nav = h("nav", { class: "nav", id: "navigation", "aria-label": "Main" });
    this.offline = h("p", { class: "offline", role: "status", hidden: true }, "The server does not answer. Trying again…");
    this.root = root;
    applyTheme(localStorage.getItem(THEME_KEY));
  }

  /** Draws the frame for the principal who is signed in. */
  show() {
    const { me } = this.session;
    const toggle = button("Menu", { icon: "menu", iconOnly: true, kind: "quiet", onclick: () => this.toggle() });
    toggle.classList.add("nav-toggle");
    toggle.setAttribute("aria-controls", "navigation");
    toggle.setAttribute("aria-expanded", "false");
    this.menuButton = toggle;
    replace(this.root,
      h("a", { class: "skip", href: "#main", onclick: (event) => { event.preventDefault(); this.main.focus(); } }, "Skip to content"),
      h("div", { class: "frame" },
        h("header", { class: "top" }, toggle,
          h("a", { class: "brand", href: "#/" }, h("span", { class: "brand-mark", "aria-hidden": "true" }), "ERM"),
          h("span", { class: "tenant" }, me.tenant?.name ?? "Platform"),
          h("div", { class: "top-end" },
            button("Switch between light and dark", { icon: isDark() ? "light" : "dark", iconOnly: true, kind: "quiet", onclick: () => this.switchTheme() }),
            h("span", { class: "who" }, me.name ?? me.email ?? "Operator"),
            button("Sign out", { icon: "signout", iconOnly: true, kind: "quiet", onclick: () => this.session.signOut() }))),
        this.nav, this.main), this.offline);
    replace(this.nav, this.#groups.map(([title, shown]) => shown.length > 0 && h("div", { class: "nav-group" }, h("p", { class: "nav-title", id: `nav-${title}` }, title),
        h("ul", { "aria-labelledby": `nav-${title}` }, shown.map(([path, label, name]) =>
          h("li", {}, h("a", { href: `#/${path}`, dataset: { path } }, icon(name), label)))))));
  }

  /** What is offered, in its groups. */
  get #groups() {
    const may = (need) => need === null || need.slice(1).some((resource) => this.session.can(need[0], resource));
    return (this.session.isOperator ? OPERATOR_NAVIGATION : NAVIGATION).map(([title, pages]) => [title, pages.filter(([, , , need]) => may(need))]);
  }

  /** The paths of the pages that are offered. */
  get pages() { return this.#groups.flatMap(([, shown]) => shown.map(([path]) => path)); }

  /** Marks where the reader is, and closes the menu of small screens. */
  mark(path) {
    const first = path.split("/")[0];
    for (const anchor of this.nav.querySelectorAll("a")) {
      if (anchor.dataset.path === first) anchor.setAttribute("aria-current", "page");
      else anchor.removeAttribute("aria-current");
    }
    this.toggle(false);
  }

  toggle(isOpen = !this.nav.classList.contains("nav-open")) {
    this.nav.classList.toggle("nav-open", isOpen);
    this.menuButton?.setAttribute("aria-expanded", String(isOpen));
  }

  /** Says that something is being waited for; a server that does not answer is named. */
  wait({ waiting, unanswered }) {
    document.documentElement.dataset.waiting = waiting;
    this.offline.hidden = unanswered === 0;
  }

  switchTheme() {
    const theme = isDark() ? "light" : "dark";
    localStorage.setItem(THEME_KEY, theme);
    applyTheme(theme);
    const { path } = { path: location.hash.replace(/^#\/?/, "").split("?")[0] };
    const page = [...this.main.childNodes];
    this.show();
    replace(this.main, page);
    this.mark(path);
  }
}

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function applyTheme(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
}
