// Pages by the URL's fragment: `#/board?from=2026-03-02&zoom=week`. A URL reproduces what is seen.

export class Router {
  #routes = [];

  /**
   * @param {(place) => void} onChange
   * @param {() => boolean} mayLeave whether the page before may be left
   */
  constructor(onChange, mayLeave) {
    addEventListener("hashchange", (event) => {
      if (mayLeave()) onChange(this.place); else history.pushState(null, "", event.oldURL);
    });
  }

  /** @param {string} pattern such as `people/:id` */
  add(pattern, page) {
    this.#routes.push({ segments: pattern.split("/"), page });
    return this;
  }

  get pages() { return this.#routes.map((route) => route.page); }

  /** Where the address bar points. */
  get place() {
    const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
    return { path, query: new URLSearchParams(query) };
  }

  find(path) {
    const given = path.split("/");
    for (const { segments, page } of this.#routes) {
      if (segments.length !== given.length) continue;
      const parameters = {};
      const fits = segments.every((segment, index) => {
        if (!segment.startsWith(":")) return segment === given[index];
        try { parameters[segment.slice(1)] = decodeURIComponent(given[index]); } catch { return false; }
        return true;
      });
      if (fits) return { page, parameters };
    }
    return null;
  }

  go(path, query) { location.hash = link(path, query); }

  /** Notes in the URL what is seen, without a new page and without a new entry in the browser's history. */
  note(query) {
    history.replaceState(null, "", link(this.place.path, query));
  }
}

/** The fragment of a page, for links. */
export function link(path, query = {}) {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== "") parameters.set(name, value);
  }
  const text = parameters.toString();
  return `#/${path}${text ? `?${text}` : ""}`;
}
