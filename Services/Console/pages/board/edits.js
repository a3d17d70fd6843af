// Changes made on the board: each is sent under the tag of what the planner saw, and undone by the opposite change.

import { uuid } from "../../lib/ids.js";

const EDITABLE = ["employeeId", "projectId", "startDate", "endDate", "allocatedHours", "hoursPerDay", "allocationPercentage", "commitment", "isCancelled"];
const COPIED = ["employeeId", "projectId", "startDate", "endDate", "allocatedHours", "hoursPerDay", "allocationPercentage", "commitment", "title", "requiredSkills", "labels"];

export class Edits extends EventTarget {
  #done = [];
  #undone = [];

  constructor(api, data) {
    super();
    this.api = api;
    this.data = data;
  }

  get canUndo() { return this.#done.length > 0; }
  get canRedo() { return this.#undone.length > 0; }

  /** What the ledger would say of a change; nothing is changed. */
  async trial(booking, change, signal) {
    return (await this.api.patch(`/allocations/${booking.id}`, change, { query: { dryRun: true }, signal })).warnings;
  }

  /** What the ledger would say of a copy. */
  async trialOfCopy(booking, change, signal) {
    return (await this.api.post("/allocations", copyOf(booking, change), { query: { dryRun: true }, signal })).warnings;
  }

  /**
   * Changes a booking. The bar moves at once and goes back when the change is refused.
   *
   * @returns the warnings; null when the change was refused.
   */
  async change(booking, change) {
    this.data.put({ ...booking, ...change });
    try {
      const { data: saved, warnings } = await this.#write(booking, change);
      this.note(booking, saved);
      return warnings;
    } catch (error) {
      if (!(error instanceof Conflict)) this.data.put(booking);
      this.#fail(error);
      return null;
    }
  }

  /** A new booking like the other one but for the change. @returns the warnings; null when it was refused. */
  async copy(booking, change) {
    try {
      const { data: saved, warnings } = await this.api.post("/allocations", copyOf(booking, change), { once: uuid() });
      this.note(null, saved);
      return warnings;
    } catch (error) {
      this.#fail(error);
      return null;
    }
  }

  /** Cancels, so that the booking can come back. @returns whether it is cancelled. */
  async remove(booking) { return (await this.change(booking, { isCancelled: true })) !== null; }

  /** Takes note of a change that is saved already; `before` is null for a new booking. */
  note(before, after) {
    this.#done.push({ before, after });
    this.#undone = [];
    this.#settle(before, after);
  }

  undo() { return this.#turn(this.#done, this.#undone, ({ before, after }) => [after, before ?? { ...after, isCancelled: true }]); }
  redo() { return this.#turn(this.#undone, this.#done, ({ before, after }) => [before ?? { ...after, isCancelled: true }, after]); }

  async #turn(from, to, order) {
    const step = from.pop();
    if (!step) return false;
    const [present, wanted] = order(step);
    try {
      const { data: saved } = await this.#write(present, pick(wanted));
      to.push(step);
      this.#settle(present, saved);
      return true;
    } catch (error) {
      // What somebody else has changed meanwhile cannot be turned back; what failed otherwise can be tried again.
      if (!(error instanceof Conflict)) from.push(step);
      this.#fail(error);
      return false;
    }
  }

  /** Writes a change onto the booking as the planner saw it. @throws {Conflict} when somebody else has changed the booking. */
  async #write(seen, change) {
    const { tag, data: fresh } = await this.api.get(`/allocations/${seen.id}`);
    if (!isSame(seen, fresh)) throw this.#conflict(fresh);
    try {
      return await this.api.patch(`/allocations/${seen.id}`, change, { tag });
    } catch (error) {
      if (error.status !== 412) throw error;
      throw this.#conflict((await this.api.get(`/allocations/${seen.id}`)).data);
    }
  }

  #conflict(fresh) {
    this.data.put(fresh);
    return new Conflict("Somebody else has changed this booking. The board shows it as it is now.");
  }

  #settle(before, after) {
    this.data.put(after);
    this.data.forget([before, after].filter(Boolean));
    this.dispatchEvent(new Event("change"));
  }

  #fail(error) { this.dispatchEvent(new CustomEvent("fail", { detail: error })); }
}

class Conflict extends Error {}

const pick = (booking) => Object.fromEntries(EDITABLE.map((key) => [key, booking[key] ?? (key === "isCancelled" ? false : null)]));
const isSame = (one, other) => JSON.stringify(pick(one)) === JSON.stringify(pick(other));

function copyOf(booking, change) {
  const given = COPIED.map((key) => [key, change[key] === undefined ? booking[key] : change[key]]).filter(([, value]) => value !== null && value !== undefined);
  return { ...Object.fromEntries(given), externalId: newId() };
}

/** An id for a booking that no other system knows. */
export const newId = () => `B-${uuid().slice(0, 13)}`;
