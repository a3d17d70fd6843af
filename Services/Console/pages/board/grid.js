// The grid of the board: only rows in view exist, each as high as its bookings need. Bars are moved with the pointer (drag.js) or with
// the keyboard (keys.js).
//
// While the board is scrolled a frame has time for a few rows: those that come into view show their name at once, and their bars as
// soon as a frame has time. What leaves the view is used again for what enters it.

import { h, replace } from "../../lib/dom.js";
import * as days from "../../lib/days.js";
import * as format from "../../lib/format.js";
import { heightOf, layOut } from "./bars.js";
import { BarDrag } from "./drag.js";
import { BarKeys } from "./keys.js";
import { RowPlaces } from "./places.js";
import { RowShell } from "./shell.js";

/** As the style sheet has them; a row is at least so high. */
const ROW = 48;
const HEAD = 48;
const NAME = { wide: 216, narrow: 124 };
const FREE = 88;
const OVERSCAN = 4;
/** Milliseconds after which a scroll has ended. */
const SCROLL_PAUSE = 120;
/** Milliseconds of a frame that bars are drawn in while scrolling: a frame of 60 a second has 16. */
const BUDGET = 4;

export class BoardGrid {
  #view = null;
  #rows = new Map();
  #places = new RowPlaces(ROW);
  #isDue = false;
  #scrolledAt = -Infinity;
  /** Rows that have left the view, to be used again. */
  #spare = [];
  #clientHeight = 0;
  #layouts = new Map();

  constructor({ data, edits, today, mayEdit, mayBook, onopen, onbook, signal }) {
    Object.assign(this, { data, edits, today, mayEdit, mayBook, onopen, onbook });
    const keys = new BarKeys(this);
    this.head = h("div", { class: "board-head" });
    this.body = h("div", {
      class: "board-body", onpointerdown: (event) => this.#ofBar(event, (one) => one.mayMove && this.drag.begin(event, one)),
      onclick: (event) => this.#ofBar(event, (one) => !this.drag.justMoved && this.onopen(one.booking)),
      onkeydown: (event) => this.#ofBar(event, (one) => keys.press(event, one)), ondblclick: (event) => this.#bookAt(event),
    });
    this.status = h("p", { class: "visually-hidden", role: "status" });
    this.element = h("div", {
      class: "board", role: "region", "aria-label": "Bookings over time", "aria-busy": "true", tabindex: "0", onscroll: () => this.#scrolled(),
    }, this.head, this.body, this.status);
    this.drag = new BarDrag(this, signal);
  }

  get view() { return this.#view; }
  /** The field of a booking that says in which row it stands. */
  get rowKey() { return this.data.kind === "people" ? "employeeId" : "projectId"; }
  get isNarrow() { return matchMedia("(max-width: 860px)").matches; }
  get nameWidth() { return this.isNarrow ? NAME.narrow : NAME.wide; }
  /** How many days fit beside the names. */
  daysInView(width) { return Math.ceil((this.element.clientWidth - this.nameWidth - (this.isNarrow || this.data.kind !== "people" ? 0 : FREE)) / width); }
  say(text) { this.status.textContent = text; }

  /** One listener serves all bars, however many come and go. */
  #ofBar(event, act) {
    const bar = event.target.closest(".bar");
    if (bar?.shown) act(bar.shown);
  }

  /** The window has another size. */
  resized() {
    this.#clientHeight = this.element.clientHeight;
    this.drawSoon();
  }

  show(view) {
    this.#view = view;
    this.#clientHeight = this.element.clientHeight;
    this.element.style.setProperty("--week", `${7 * view.width}px`);
    this.element.style.setProperty("--week-start", `${this.x(days.monday(view.from))}px`);
    this.#clear();
    this.#drawHead();
    this.draw();
  }

  #clear() {
    this.#rows.clear();
    this.#spare.length = 0;
    this.#layouts.clear();
    this.#places.clear();
    replace(this.body);
  }

  /** Left edge of a day, within the row's time. */
  x(day) { return (day - this.#view.from) * this.#view.width; }
  get timeWidth() { return (this.#view.to - this.#view.from + 1) * this.#view.width; }
  weeks() { return days.periods(days.monday(this.#view.from), this.#view.to, "week"); }
  /** The week whose free hours stand at the row's end: the present one, or the first in view. */
  get freeWeek() {
    const { from, to } = this.#view;
    return from <= this.today && this.today <= to ? days.monday(this.today) : days.monday(from + 6);
  }

  #drawHead() {
    const { from, to, width: dayWidth, zoom } = this.#view;
    const { clientWidth } = this.element;
    const place = (period, text, kind) => h("div", { class: ["board-period", ...kind], style: { left: `${this.x(period.from)}px`, width: `${(period.to - period.from + 1) * dayWidth}px` } }, text);
    const units = days.periods(from, to, zoom === "day" ? "day" : "week");
    const now = (period) => period.from <= this.today && this.today <= period.to && "board-now";
    replace(this.head,
      h("div", { class: "board-corner" }, this.data.kind === "people" ? "Person" : "Project"),
      h("div", { class: "board-times", style: { width: `${this.timeWidth}px` } },
        days.periods(from, to, "month").map((period) => {
          const room = (period.to - period.from + 1) * dayWidth;
          return place(period, room > 120 ? format.month(period.from) : room > 44 ? format.shortMonth(period.from) : "", ["board-month"]);
        }),
        units.map((period) => place(period, zoom === "day" ? [h("span", {}, format.weekdayLetter(period.from)), days.dateOf(period.from).getUTCDate()] : zoom === "week" ? `W${days.weekNumber(period.from)}` : days.weekNumber(period.from),
          ["board-unit", zoom !== "week" && "board-unit-small", now(period)]))),
      this.data.kind === "people" && h("div", { class: "board-corner board-corner-end" }, `Free, W${days.weekNumber(this.freeWeek)}`));
    this.head.style.width = "max-content";
    // As wide as what stands in a row, so that a row contains all that it shows.
    const width = this.nameWidth + this.timeWidth + (this.data.kind === "people" && !this.isNarrow ? FREE : 0);
    this.body.style.width = `${width}px`;
    // What sticks is a layer of its own in the browser, two for each row: only where the board is scrolled sideways.
    this.element.classList.toggle("board-sideways", width > clientWidth);
  }

  /** Draws with the next frame, once for however many reasons. */
  drawSoon() {
    if (this.#isDue) return;
    this.#isDue = true;
    requestAnimationFrame(() => {
      this.#isDue = false;
      this.draw();
    });
  }

  #scrolled() {
    this.#scrolledAt = performance.now();
    this.drawSoon();
  }

  draw() {
    if (!this.#view || this.drag.isDragging) return;
    const { rows } = this.data;
    // Read before anything is written, so that no frame is laid out twice.
    let top = this.element.scrollTop;
    const isScrolling = performance.now() - this.#scrolledAt < SCROLL_PAUSE;
    const deadline = isScrolling ? performance.now() + BUDGET : Infinity;
    this.#places.of(rows);
    let [first, last] = this.#inView(top);
    const moved = this.#measure(rows.slice(first, last + 1), top);
    if (moved !== null) {
      top = moved;
      [first, last] = this.#inView(top);
    }
    const shown = rows.slice(first, last + 1);
    this.body.style.height = `${Math.max(this.#places.height, 120)}px`;
    this.data.want(shown.map((row) => row.id), this.#view.from, this.#view.to, this.isHeat, isScrolling);
    const focused = this.body.contains(document.activeElement) ? document.activeElement : null;
    const isFilled = this.#drawRows(shown, first, deadline);
    if (!isScrolling) this.#order(shown);
    if (focused && document.activeElement !== focused) (focused.isConnected ? focused : this.body.querySelector(`[data-booking="${focused.dataset.booking}"]`))?.focus({ preventScroll: true });
    this.body.dataset.empty = rows.length > 0 ? "" : !this.data.isWhole ? "Loading…" : this.data.kind === "people" ? "Nobody fits the filter." : "No open project fits the filter.";
    this.element.setAttribute("aria-busy", String(this.data.isBusy || !isFilled));
    if (!isFilled) this.drawSoon();
  }

  /** Every row's place and name, and bars until the deadline. @returns whether all have theirs. */
  #drawRows(shown, first, deadline) {
    const ids = new Set(shown.map((row) => row.id));
    for (const [id, shell] of this.#rows) {
      if (ids.has(id)) continue;
      shell.leave();
      this.#spare.push(shell);
      this.#rows.delete(id);
    }
    const stale = [];
    shown.forEach((row, offset) => {
      let shell = this.#rows.get(row.id);
      if (!shell) {
        shell = this.#spare.pop() ?? new RowShell(this);
        this.#rows.set(row.id, shell);
        shell.enter(row);
      }
      const top = this.#places.top(first + offset);
      shell.place(top, this.#places.top(first + offset + 1) - top);
      if (shell.version !== this.data.known.version(row.id)) stale.push(shell);
    });
    for (const shell of this.#spare) shell.hide();
    for (const [index, shell] of stale.entries()) {
      if (index > 0 && performance.now() > deadline) return false;
      shell.fill(this.data.known.version(shell.row.id));
    }
    return true;
  }

  /** Elements in the order of their rows, for the tabulator key and for who listens to the page. */
  #order(shown) {
    let before = null;
    for (const row of shown) {
      const { element } = this.#rows.get(row.id);
      const place = before ? before.nextSibling : this.body.firstChild;
      if (place !== element) this.body.insertBefore(element, place);
      before = element;
    }
  }

  /** Index of the first row in view and of the last, with some beyond. */
  #inView(top) {
    return [Math.max(0, this.#places.at(top) - OVERSCAN), this.#places.at(top + this.#clientHeight - HEAD) + OVERSCAN];
  }

  /** Learns how high rows are; what is in view stays where it is. @returns where the board is scrolled to when a height has changed, else null. */
  #measure(rows, scrollTop) {
    if (this.isHeat) return null;
    const top = this.#places.at(scrollTop);
    const beyond = scrollTop - this.#places.top(top);
    let hasChanged = false;
    for (const row of rows) {
      const lanes = this.layout(row).lanes;
      hasChanged = this.#places.set(row.id, Math.max(ROW, heightOf(lanes))) || hasChanged;
    }
    if (!hasChanged) return null;
    this.#places.place();
    if (scrollTop <= 0) return scrollTop;
    this.body.style.height = `${Math.max(this.#places.height, 120)}px`;
    const moved = this.#places.top(top) + beyond;
    if (moved !== scrollTop) this.element.scrollTop = moved;
    return moved;
  }

  /** The row's bookings in their lanes, reckoned anew when something else is known of the row. */
  layout(row) {
    const version = this.data.known.version(row.id);
    const known = this.#layouts.get(row.id);
    if (known?.version === version) return known;
    const layout = { ...layOut(this, row), version };
    this.#layouts.set(row.id, layout);
    return layout;
  }

  get isHeat() { return this.#view.zoom === "month" && this.data.kind === "people"; }

  /** Draws a row anew although nothing new is known of it. */
  redraw(row) {
    const shell = this.#rows.get(row.id);
    if (shell) shell.version = null;
    this.draw();
  }

  /** The bars of a row, where the row is in view. */
  barsOf(id) { return this.#rows.has(id) ? [...this.#rows.get(id).element.querySelectorAll(".bar")] : null; }

  async apply(booking, change) { this.#saySaved(await this.edits.change(booking, change)); }
  async copy(booking, change) { this.#saySaved(await this.edits.copy(booking, change)); }
  #saySaved(warnings) { if (warnings) this.say(warnings.length ? `Saved with ${warnings.length} warnings.` : "Saved."); }

  #bookAt(event) {
    const time = event.target.closest(".board-time-row");
    if (!this.mayBook || !time || event.target.closest(".bar")) return;
    const row = this.rowAt(event.clientY);
    const day = this.#view.from + Math.floor((event.clientX - time.getBoundingClientRect().left) / this.#view.width);
    if (row) this.onbook({ [this.rowKey]: row.id, startDate: days.formatDay(day), endDate: days.formatDay(day + 4) });
  }

  /** The row that lies under the pointer. */
  rowAt(clientY) {
    return this.data.rows[this.#places.at(clientY - this.body.getBoundingClientRect().top)] ?? null;
  }
}
