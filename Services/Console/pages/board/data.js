// What the board shows, fetched as it comes into view: rows of people or of projects, and for each the bookings, leave and load.
//
// Rows in view are asked for together, a piece of the calendar at a time, so that neither a long list nor a long scroll costs
// many requests.

import { formatDay, parseDay } from "../../lib/days.js";

/** Rows of one question: the API takes up to 100 ids. */
const ROWS_AT_ONCE = 40;
const QUESTIONS_AT_ONCE = 4;
/** Days of one question: whole weeks, begun on a Monday. Coarse is by week, without bookings. */
const PIECE = { fine: 56, coarse: 182 };
const FIRST_MONDAY = 4;
/** Rows that only fly past are not asked for: of those in view, half must have been there so long. */
const PATIENCE = 70;
const IDS_AT_ONCE = 100;

export class BoardData extends EventTarget {
  rows = [];
  isWhole = false;
  kind = "people";
  #bookings = new Map();
  #rowOf = new Map();
  #leave = new Map();
  #days = new Map();
  #weeks = new Map();
  #versions = new Map();
  #edits = new Map();
  #names = new Map();
  #namesWanted = new Set();
  #asked = new Map();
  #wanted = null;
  #timer = null;
  #running = 0;
  #search = 0;

  /** @param {{api, signal, mayReport: boolean, mayLeave: boolean}} options */
  constructor(options) {
    super();
    Object.assign(this, options);
  }

  get isBusy() { return this.#running > 0 || this.#timer !== null || (this.rows.length === 0 && !this.isWhole); }

  /** Rows that the filter lets through, page by page; the first page is shown at once. */
  async load({ kind, text, department, skill, level, project }) {
    this.#search += 1;
    const search = this.#search;
    if (kind !== this.kind) this.#turn(kind);
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

  // --- What is known ---

  bookings(row) { return [...(this.#bookings.get(row)?.values() ?? [])]; }
  leave(row) { return [...(this.#leave.get(row)?.values() ?? [])]; }
  /** Grows whenever what is known of the row changes. */
  version(row) { return this.#versions.get(row) ?? 0; }

  /** Hours of a day: `{capacity, hard, soft}`; null while unknown. */
  day(row, day) {
    const [piece, place] = whereIs(day, PIECE.fine);
    const hours = this.#days.get(row)?.get(piece);
    return hours ? { capacity: hours[place * 3], hard: hours[place * 3 + 1], soft: hours[place * 3 + 2] } : null;
  }

  /** Hours of the week that begins on a Monday; null while unknown. */
  week(row, monday) {
    const known = this.#weeks.get(row)?.get(monday);
    if (known) return known;
    const sum = { capacity: 0, hard: 0, soft: 0 };
    for (let day = monday; day < monday + 7; day += 1) {
      const hours = this.day(row, day);
      if (!hours) return null;
      for (const key of Object.keys(sum)) sum[key] += hours[key];
    }
    return sum;
  }

  /** The name on a booking's bar: the project's on a person's row, the person's on a project's. */
  other(booking) { return this.#names.get(this.#otherId(booking)) ?? null; }

  #otherId(booking) { return this.kind === "people" ? booking.projectId : booking.employeeId; }
  #rowId(booking) { return this.kind === "people" ? booking.employeeId : booking.projectId; }

  // --- Changes made here ---

  /** Puts what a write answered in the place of what was known. */
  put(booking) {
    this.#edited(this.#rowOf.get(booking.id));
    this.#drop(booking.id);
    this.#edited(this.#rowId(booking));
    if (!booking.isCancelled) this.#keep(booking);
    this.#changed();
  }

  remove(id) {
    this.#edited(this.#rowOf.get(id));
    this.#drop(id);
    this.#changed();
  }

  /** What is known of the bookings' rows may be out of date: it stays until the answer to the next question is there. */
  forget(bookings) {
    for (const booking of bookings) {
      this.#edited(this.#rowId(booking));
      this.#asked.delete(this.#rowId(booking));
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

  #keep(booking) {
    const row = this.#rowId(booking);
    of(this.#bookings, row).set(booking.id, booking);
    this.#rowOf.set(booking.id, row);
    if (!this.#names.has(this.#otherId(booking))) this.#namesWanted.add(this.#otherId(booking));
    this.#bump(row);
  }

  #drop(id) {
    const row = this.#rowOf.get(id);
    if (row === undefined) return;
    this.#bookings.get(row)?.delete(id);
    this.#rowOf.delete(id);
    this.#bump(row);
  }

  #bump(row) { this.#versions.set(row, this.version(row) + 1); }

  #turn(kind) {
    this.kind = kind;
    for (const known of [this.#bookings, this.#rowOf, this.#leave, this.#days, this.#weeks, this.#versions, this.#names, this.#asked]) known.clear();
    this.#namesWanted.clear();
  }

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
    for (const question of this.#missing()) {
      if (this.#running >= QUESTIONS_AT_ONCE || this.signal.aborted) break;
      for (const row of question.rows) of(this.#asked, row).set(question.key, true);
      this.#running += 1;
      this.#ask(question).catch(() => {
        // Asked again when it is next drawn, but not at once: the server may be down.
        setTimeout(() => {
          for (const row of question.rows) this.#asked.get(row)?.delete(question.key);
          this.#changed();
        }, 2000);
      }).finally(() => {
        this.#running -= 1;
        this.#askForMissing();
        this.#changed();
      });
    }
    this.#changed();
  }

  async #ask(question) {
    const window = { from: formatDay(question.first), to: formatDay(question.last) };
    const options = { signal: this.signal };
    const isPeople = this.kind === "people";
    const { kind } = this;
    const edits = new Map(question.rows.map((row) => [row, this.#editsOf(row)]));
    const rows = isPeople ? { employeeId: question.rows } : { projectId: question.rows };
    const all = (path, query = {}) => this.api.all(path, { ...rows, ...window, ...query }, options);
    const isFine = question.grain === "fine";
    const [bookings, leave, loads] = await Promise.all([
      isFine || !isPeople ? all("/allocations", { isCancelled: false }) : null,
      isFine && isPeople && this.mayLeave ? all("/leave") : null,
      isPeople && this.mayReport ? all("/reports/utilization", { groupBy: "person", period: isFine ? "day" : "week" }) : null,
    ]);
    if (kind !== this.kind) return;
    // What is said of a row that was changed here meanwhile is out of date: that row is asked for again.
    const current = question.rows.filter((row) => this.#editsOf(row) === edits.get(row));
    for (const row of question.rows) if (!current.includes(row)) this.#asked.get(row)?.delete(question.key);
    const answered = { ...question, rows: current };
    if (bookings) this.#takeBookings(answered, bookings);
    if (leave) this.#takeLeave(answered, leave);
    if (loads) this.#takeLoads(answered, loads);
    for (const row of current) this.#bump(row);
    await this.#nameOthers(options);
  }

  #takeBookings(question, bookings) {
    const found = new Set(bookings.map((booking) => booking.id));
    for (const known of question.rows.flatMap((row) => this.bookings(row))) {
      const isInside = parseDay(known.startDate) <= question.last && (!known.endDate || parseDay(known.endDate) >= question.first);
      if (isInside && !found.has(known.id)) this.#drop(known.id);
    }
    const rows = new Set(question.rows);
    for (const booking of bookings) {
      if (!rows.has(this.#rowId(booking))) continue;
      this.#drop(booking.id);
      this.#keep(booking);
    }
  }

  #takeLeave(question, leave) {
    for (const row of question.rows) {
      const known = of(this.#leave, row);
      for (const one of [...known.values()]) if (parseDay(one.firstDay) <= question.last && parseDay(one.lastDay) >= question.first) known.delete(one.id);
    }
    for (const one of leave) of(this.#leave, one.employeeId).set(one.id, one);
  }

  #takeLoads(question, loads) {
    const found = new Map(loads.map((load) => [load.employee.id, load.periods ?? []]));
    for (const row of question.rows) {
      // Who is not employed in the window has no figures: no capacity, nothing booked.
      const periods = found.get(row) ?? [];
      if (question.grain === "coarse") {
        const weeks = of(this.#weeks, row);
        for (let monday = question.first; monday <= question.last; monday += 7) weeks.set(monday, { capacity: 0, hard: 0, soft: 0 });
        for (const one of periods) weeks.set(parseDay(one.from), { capacity: one.capacityHours ?? 0, hard: one.hardHours, soft: one.softHours });
      } else {
        const hours = new Float32Array(PIECE.fine * 3);
        periods.forEach((one, place) => hours.set([one.capacityHours ?? 0, one.hardHours, one.softHours], place * 3));
        of(this.#days, row).set(question.piece, hours);
        const weeks = this.#weeks.get(row);
        for (let monday = question.first; monday <= question.last; monday += 7) weeks?.delete(monday);
      }
    }
  }

  /** The names on bars, up to a hundred with one question. */
  async #nameOthers(options) {
    const ids = [...this.#namesWanted];
    this.#namesWanted.clear();
    const path = this.kind === "people" ? "/projects" : "/employees";
    for (let start = 0; start < ids.length; start += IDS_AT_ONCE) {
      for (const one of await this.api.all(path, { id: ids.slice(start, start + IDS_AT_ONCE) }, options)) this.#names.set(one.id, one.name);
    }
    if (ids.length > 0) for (const row of this.#bookings.keys()) this.#bump(row);
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

/** The piece of so many days in which a day lies, and its place there. */
function whereIs(day, days) {
  const piece = Math.floor((day - FIRST_MONDAY) / days);
  return [piece, day - FIRST_MONDAY - piece * days];
}

function of(map, key) {
  if (!map.has(key)) map.set(key, new Map());
  return map.get(key);
}
