// Tables that page through a list of the API, row by row as the reader scrolls.

import { h, replace } from "../lib/dom.js";
import { button, empty, failure, loading } from "./controls.js";

/**
 * A table of rows that are there already.
 *
 * @param {{label: string, columns: {title: string, cell: (row) => any, kind?: string}[], rows: any[]}} options
 *   `kind` says how a column is set: `number`, `wide`, `date` (on one line) or `actions`. `total` is a row of cells under the body.
 */
export function table({ label, columns, rows, total, empty: nothing }) {
  if (rows.length === 0 && nothing) return nothing;
  const body = h("tbody", {}, rows.map((row) => tableRow(columns, row)));
  return frame(label, columns, body, total && h("tfoot", {}, h("tr", {}, total.map((cell, index) =>
    h(index === 0 ? "th" : "td", { class: columns[index].kind && `cell-${columns[index].kind}`, scope: index === 0 ? "row" : null, dataset: { title: index === 0 ? "" : columns[index].title } }, cell)))));
}

function tableRow(columns, row) {
  return h("tr", {}, columns.map((column, index) => {
    const content = column.cell(row);
    // On narrow screens each cell stands on a line of its own, behind its column's title.
    return index === 0 ? h("th", { scope: "row", class: column.kind && `cell-${column.kind}` }, content)
      : h("td", { class: column.kind && `cell-${column.kind}`, dataset: { title: column.title } }, content);
  }));
}

function frame(label, columns, body, foot) {
  return h("div", { class: "table-frame", role: "region", "aria-label": label, tabindex: "0" },
    h("table", {}, h("caption", { class: "visually-hidden" }, label),
      h("thead", {}, h("tr", {}, columns.map((column) =>
        h("th", { scope: "col", class: column.kind && `cell-${column.kind}` }, column.title)))), body, foot));
}

/**
 * A table of a list of the API: the next page is fetched when the end comes near, or by a button.
 *
 * @param {{api, path: string, query?: object, label: string, columns: object[], empty: Node, limit?: number}} options
 */
export function pagedTable({ api, path, query = {}, label, columns, empty: nothing, limit = 100 }) {
  const body = h("tbody");
  const foot = h("div", { class: "table-foot" });
  const place = h("div", { class: "paged", dataset: { whole: "" } }, loading());
  let cursor;
  let isWhole = false;
  let busy = null;
  const observer = new IntersectionObserver((entries) => {
    if (entries.some((entry) => entry.isIntersecting)) more();
  }, { rootMargin: "600px" });

  /** The next page, once for however many ask for it. @returns whether it came. */
  function more() {
    busy ??= next().finally(() => { busy = null; });
    return busy;
  }

  async function next() {
    if (isWhole) return true;
    try {
      const { data, page } = await api.get(path, { limit, ...query, cursor });
      const isFirst = cursor === undefined;
      cursor = page?.nextCursor ?? undefined;
      isWhole = cursor === undefined;
      if (isFirst) replace(place, data.length === 0 && isWhole ? nothing ?? empty("Nothing here yet") : [frame(label, columns, body), foot]);
      body.append(...data.map((row) => tableRow(columns, row)));
      replace(foot, isWhole ? null : [button("Show more", { onclick: more }), h("p", { class: "printed" }, "The list goes on: print with the page's own button to have all of it.")]);
      if (isWhole) observer.disconnect(); else observer.observe(foot);
      return true;
    } catch (error) {
      replace(cursor === undefined ? place : foot, failure(error, more));
      return false;
    }
  }
  more();
  /** Fetches what is left, for paper. */
  place.whole = async () => {
    while (!isWhole) if (!(await more())) throw new Error("Not every row could be fetched. Try again.");
  };
  return place;
}
