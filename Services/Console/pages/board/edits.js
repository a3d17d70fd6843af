// Changes made on the board: sent at once under the tag that was read, undone by the opposite change.

const EDITABLE = ["employeeId", "projectId", "startDate", "endDate", "allocatedHours", "hoursPerDay", "allocationPercentage", "commitment", "isCancelled"];

export class Edits extends EventTarget {
  #done = [];
  #undone = [];

  constructor(api, data, mayEdit) {
    super();
    this.api = api;
    this.data = data;
    this.mayEdit = mayEdit;
  }

  /** What the ledger would say of a change; nothing is changed. */
  async trial(booking, change, signal) {
    const { warnings } = await this.api.send("PATCH", `/allocations/${booking.id}`, { body: change, query: { dryRun: "true" }, signal });
    return warnings;
  }

  /**
   * Changes a booking. The bar moves at once and goes back when the server refuses.
   *
   * @returns the warnings; null when it was refused.
   */
  async change(booking, change) {
    this.data.put({ ...booking, ...change });
    try {
      const { tag, data: fresh } = await this.api.get(`/allocations/${booking.id}`);
      const hasMoved = EDITABLE.some((key) => (fresh[key] ?? null) !== (booking[key] ?? null));
      if (hasMoved) {
        this.data.put(fresh);
        this.#fail(new Error("Somebody else has changed this booking. The board shows it as it is now."));
        return null;
      }
      const { data: saved, warnings } = await this.api.patch(`/allocations/${booking.id}`, change, { tag });
      this.note(fresh, saved);
      return warnings;
    } catch (error) {
      this.data.put(booking);
      this.#fail(error);
      return null;
    }
  }

  /** Takes note of a booking that was changed elsewhere, by the form. */
  note(before, after) {
    this.#done.push({ before, after });
    this.#undone = [];
    this.#settle(before, after);
  }

  noteNew(booking) {
    this.#done.push({ before: null, after: booking });
    this.#undone = [];
    this.#settle(null, booking);
  }

  async remove(booking) {
    try {
      const { data: saved } = await this.api.patch(`/allocations/${booking.id}`, { isCancelled: true });
      this.note(booking, saved);
      return true;
    } catch (error) {
      this.#fail(error);
      return false;
    }
  }

  undo() { return this.#turn(this.#done, this.#undone, ({ before, after }) => [after, before]); }
  redo() { return this.#turn(this.#undone, this.#done, ({ before, after }) => [before, after]); }

  async #turn(from, to, order) {
    const step = from.pop();
    if (!step) return;
    const [present, wanted] = order(step);
    try {
      const saved = await this.#reach(present, wanted);
      to.push(step.after === present ? { before: step.before, after: step.after } : { before: step.before, after: saved ?? step.after });
      this.#settle(present, saved);
    } catch (error) {
      from.push(step);
      this.#fail(error);
    }
  }

  /** From one state of a booking to another: a new one that is undone is cancelled, not deleted, so that it can come back. */
  async #reach(present, wanted) {
    const id = (present ?? wanted).id;
    const target = wanted ?? { ...present, isCancelled: true };
    const change = Object.fromEntries(EDITABLE.map((key) => [key, target[key] ?? (key === "isCancelled" ? false : null)]));
    return (await this.api.patch(`/allocations/${id}`, change)).data;
  }

  #settle(before, after) {
    if (after) this.data.put(after); else if (before) this.data.remove(before.id);
    this.data.forgetLoads([before?.employeeId, after?.employeeId].filter(Boolean));
    this.dispatchEvent(new Event("change"));
  }

  #fail(error) { this.dispatchEvent(new CustomEvent("fail", { detail: error })); }
}
