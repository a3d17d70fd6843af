// What the board knows of its rows: bookings, leave, hours by day or by week, and the names on bars.

import { parseDay } from "../../lib/days.js";

/** Days of one piece of the calendar: whole weeks, begun on a Monday. Coarse is by week, without bookings. */
export const PIECE = { fine: 56, coarse: 182 };
export const FIRST_MONDAY = 4;

/** The piece of so many days in which a day lies, and its place there. */
export function whereIs(day, days) {
  const piece = Math.floor((day - FIRST_MONDAY) / days);
  return [piece, day - FIRST_MONDAY - piece * days];
}

export class Known {
  #bookings = new Map();
  #rowOf = new Map();
  #leave = new Map();
  #days = new Map();
  #weeks = new Map();
  #versions = new Map();
  /** Names by id. */
  names = new Map();

  /** @param {"people"|"projects"} kind what the rows are */
  constructor(kind) { this.kind = kind; }

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
  other(booking) { return this.names.get(this.otherId(booking)) ?? null; }
  otherId(booking) { return this.kind === "people" ? booking.projectId : booking.employeeId; }
  rowId(booking) { return this.kind === "people" ? booking.employeeId : booking.projectId; }
  /** The row in which a booking stands; undefined for an unknown one. */
  rowOf(id) { return this.#rowOf.get(id); }
  /** All rows that have had a booking. */
  get rows() { return [...this.#bookings.keys()]; }

  keep(booking) {
    const row = this.rowId(booking);
    of(this.#bookings, row).set(booking.id, booking);
    this.#rowOf.set(booking.id, row);
    this.bump(row);
  }

  drop(id) {
    const row = this.#rowOf.get(id);
    if (row === undefined) return;
    this.#bookings.get(row)?.delete(id);
    this.#rowOf.delete(id);
    this.bump(row);
  }

  bump(row) { this.#versions.set(row, this.version(row) + 1); }

  // --- Answers: of a question's rows, from its first day to its last ---

  takeBookings(question, bookings) {
    const found = new Set(bookings.map((booking) => booking.id));
    for (const known of question.rows.flatMap((row) => this.bookings(row))) {
      const isInside = parseDay(known.startDate) <= question.last && (!known.endDate || parseDay(known.endDate) >= question.first);
      if (isInside && !found.has(known.id)) this.drop(known.id);
    }
    const rows = new Set(question.rows);
    for (const booking of bookings) {
      if (!rows.has(this.rowId(booking))) continue;
      this.drop(booking.id);
      this.keep(booking);
    }
  }

  takeLeave(question, leave) {
    for (const row of question.rows) {
      const known = of(this.#leave, row);
      for (const one of [...known.values()]) if (parseDay(one.firstDay) <= question.last && parseDay(one.lastDay) >= question.first) known.delete(one.id);
    }
    for (const one of leave) of(this.#leave, one.employeeId).set(one.id, one);
  }

  takeLoads(question, loads) {
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
}

function of(map, key) {
  if (!map.has(key)) map.set(key, new Map());
  return map.get(key);
}
