// What the board shows, fetched as it comes into view: rows of people or of projects, and for each the bookings, leave and load.
//
// Rows in view are asked for together, a piece of the calendar at a time, so that neither a long list nor a long scroll costs
// many requests.

import { formatDay } from "../../lib/days.js";
import { FIRST_MONDAY, Known, PIECE, whereIs } from "./known.js";

/** Rows of one question: the API takes up to 100 ids. */
const ROWS_AT_ONCE = 40;
const QUESTIONS_AT_ONCE = 4;
/** Rows that only fly past are not asked for: of those in view, half must have been there so long. */
const PATIENCE = 70;
const IDS_AT_ONCE = 100;

export class BoardData extends EventTarget {
  rows = [];
  isWhole = false;
  known = new Known("people");
  #edits = new Map();
  #asked = new Map();
  #wanted = null;
  #timer = null;
  /** Questions without an answer, each with what ends it. */
  #running = new Map();
  #search = 0;

  /** @param {{api, signal, mayReport: boolean, mayLeave: boolean}} options */
  constructor(options) {
    super();
    Object.assign(this, options);
  }

  get kind() { return this.known.kind; }
  get isBusy() { return this.#running.size > 0 || this.#timer !== null || (this.rows.length === 0 && !this.isWhole); }

  /** Rows that the filter lets through, page by page; the first page is shown at once. */
  async load({ kind, text, department, skill, level, project }) {
    this.#search += 1;
    const search = this.#search;
    if (kind !== this.kind) {
      this.known = new Known(kind);
      this.#asked.clear();
    }
    this.rows = [];
    this.isWhole = false;
    const isStale = () => search !== this.#search;
    for await (const page of kind === "people" ? this.#people({ text, department, skill, level, project }) : this.#projects({ text, skill, project })) {
      if (isStale()) return;
      this.rows.push(...page);
      this.#changed();
    }
    if (isStale()) return;
    this.isWhole = true;
    this.#changed();
  }

  async *#people({ text, department, skill, level, project }) {
    const query = { name: text, department, skill, level: skill && level };
    if (!project) return yield* this.#pages("/employees", query);
    const bookings = await this.api.all("/allocations", { projectId: project, isCancelled: false }, { signal: this.signal });
    const ids = [...new Set(bookings.map((booking) => booking.employeeId))];
    for (let start = 0; start < ids.length; start += IDS_AT_ONCE) yield* this.#pages("/employees", { ...query, id: ids.slice(start, start + IDS_AT_ONCE) });
  }

  async *#projects({ text, skill, project }) {
    const query = { name: text, skill, id: project || undefined };
    for (const status of ["in_progress", "planned", "on_hold"]) yield* this.#pages("/projects", { ...query, status });
  }

  #pages(path, query) { return this.api.pages(path, query, { signal: this.signal }); }

  // --- Changes made here ---

  /** Puts what a write answered in the place of what was known. */
  put(booking) {
    this.#edited(this.known.rowOf(booking.id));
    this.known.drop(booking.id);
    this.#edited(this.known.rowId(booking));
    if (!booking.isCancelled) this.known.keep(booking);
    this.#changed();
  }

  remove(id) {
    this.#edited(this.known.rowOf(id));
    this.known.drop(id);
    this.#changed();
  }

  /** What is known of the bookings' rows may be out of date: it stays until the answer to the next question is there. */
  forget(bookings) {
    for (const booking of bookings) {
      this.#edited(this.known.rowId(booking));
      this.#asked.delete(this.known.rowId(booking));
    }
    this.#changed();
  }

  /** The same for all rows. */
  forgetAll() {
    this.#asked.clear();
    this.#changed();
  }

  /** Answers to earlier questions about the row are older than the change. */
  #edited(row) { if (row !== undefined) this.#edits.set(row, this.#editsOf(row) + 1); }
  #editsOf(row) { return this.#edits.get(row) ?? 0; }

  // --- What is asked ---

  /** Sees to it that what is in view is known. */
  want(rows, from, to, isCoarse, isScrolling) {
    this.#wanted = { rows, from, to, grain: isCoarse ? "coarse" : "fine" };
    if (this.#timer === null && this.#missing().length > 0) this.#waitForRest(isScrolling ? PATIENCE : 0);
  }

  #waitForRest(patience = PATIENCE) {
    const before = new Set(this.#wanted.rows);
    this.#timer = setTimeout(() => {
      const { rows } = this.#wanted;
      if (rows.filter((row) => before.has(row)).length * 2 < rows.length) return this.#waitForRest();
      this.#timer = null;
      this.#askForMissing();
    }, patience);
  }

  /** The pieces in view that nobody has asked for, with their rows. */
  #missing() {
    const { rows, from, to, grain } = this.#wanted;
    const days = PIECE[grain];
    const found = [];
    for (let piece = whereIs(from, days)[0]; piece <= whereIs(to, days)[0]; piece += 1) {
      const key = `${grain}/${piece}`;
      const missing = rows.filter((row) => !this.#asked.get(row)?.has(key));
      const first = FIRST_MONDAY + piece * days;
      for (let start = 0; start < missing.length; start += ROWS_AT_ONCE) found.push({ key, grain, piece, first, last: first + days - 1, rows: missing.slice(start, start + ROWS_AT_ONCE) });
    }
    return found;
  }

  #askForMissing() {
    this.#dropUnwanted();
    for (const question of this.#missing()) {
      if (this.#running.size >= QUESTIONS_AT_ONCE || this.signal.aborted) break;
      for (const row of question.rows) this.#asked.set(row, (this.#asked.get(row) ?? new Set()).add(question.key));
      const ending = new AbortController();
      this.#running.set(question, ending);
      const again = () => {
        for (const row of question.rows) this.#asked.get(row)?.delete(question.key);
        this.#changed();
      };
      this.#ask(question, AbortSignal.any([this.signal, ending.signal])).catch(() => {
        // Asked again when it is next drawn, but not at once: the server may be down.
        if (ending.signal.aborted) again(); else setTimeout(again, 2000);
      }).finally(() => {
        this.#running.delete(question);
        this.#askForMissing();
        this.#changed();
      });
    }
    this.#changed();
  }

  /** Questions about rows that have all been scrolled out of view keep those in view waiting. */
  #dropUnwanted() {
    const wanted = new Set(this.#wanted.rows);
    for (const [question, ending] of this.#running) if (!question.rows.some((row) => wanted.has(row))) ending.abort();
  }

  async #ask(question, signal) {
    const window = { from: formatDay(question.first), to: formatDay(question.last) };
    const options = { signal };
    const isPeople = this.kind === "people";
    const { known } = this;
    const edits = new Map(question.rows.map((row) => [row, this.#editsOf(row)]));
    const rows = isPeople ? { employeeId: question.rows } : { projectId: question.rows };
    const all = (path, query = {}) => this.api.all(path, { ...rows, ...window, ...query }, options);
    const isFine = question.grain === "fine";
    const [bookings, leave, loads] = await Promise.all([
      isFine || !isPeople ? all("/allocations", { isCancelled: false }) : null,
      isFine && isPeople && this.mayLeave ? all("/leave") : null,
      isPeople && this.mayReport ? all("/reports/utilization", { groupBy: "person", period: isFine ? "day" : "week" }) : null,
    ]);
    if (known !== this.known) return;
    // What is said of a row that was changed here meanwhile is out of date: that row is asked for again.
    const current = question.rows.filter((row) => this.#editsOf(row) === edits.get(row));
    for (const row of question.rows) if (!current.includes(row)) this.#asked.get(row)?.delete(question.key);
    const answered = { ...question, rows: current };
    if (bookings) known.takeBookings(answered, bookings);
    if (leave) known.takeLeave(answered, leave);
    if (loads) known.takeLoads(answered, loads);
    for (const row of current) known.bump(row);
    await this.#nameOthers(known, current, options);
  }

  /** The names on bars, up to a hundred with one question. */
  async #nameOthers(known, rows, options) {
    const ids = [...new Set(rows.flatMap((row) => known.bookings(row)).map((booking) => known.otherId(booking)))].filter((id) => !known.names.has(id));
    for (let start = 0; start < ids.length; start += IDS_AT_ONCE) {
      const part = ids.slice(start, start + IDS_AT_ONCE);
      try {
        for (const one of await this.api.all(known.kind === "people" ? "/projects" : "/employees", { id: part }, options)) known.names.set(one.id, one.name);
      } catch (error) {
        if (error.status !== 403) throw error;
        for (const id of part) known.names.set(id, "Not shown to you");
      }
    }
    if (ids.length > 0) for (const row of rows) known.bump(row);
  }

  #isQuiet = true;
  #changed() {
    if (!this.#isQuiet) return;
    this.#isQuiet = false;
    requestAnimationFrame(() => {
      this.#isQuiet = true;
      this.dispatchEvent(new Event("change"));
    });
  }
}
