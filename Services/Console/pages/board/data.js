// What the board shows, fetched as it comes into view: people, and for each the bookings, leave and load of the window.

import { formatDay, monday, parseDay } from "../../lib/days.js";

const AT_ONCE = 6;
/** Windows are asked for in whole pieces of so many days, so that scrolling through time asks little. */
const PIECE = 56;

export class BoardData extends EventTarget {
  people = [];
  isWhole = false;
  #bookings = new Map();
  #leave = new Map();
  #loads = new Map();
  #projects = new Map();
  #asked = new Set();
  #queue = [];
  #running = 0;
  #generation = 0;

  constructor(api, signal) {
    super();
    this.api = api;
    this.signal = signal;
  }

  /** People that the filter lets through, page by page; the first page is shown at once. */
  async loadPeople({ text, department, skill, project }) {
    this.#generation += 1;
    const generation = this.#generation;
    this.people = [];
    this.isWhole = false;
    const wanted = project ? await this.#peopleOf(project) : null;
    const query = { name: text || undefined, department: department || undefined, skill: skill || undefined };
    for await (const page of this.api.pages("/employees", query, { signal: this.signal })) {
      if (generation !== this.#generation) return;
      this.people.push(...(wanted ? page.filter((person) => wanted.has(person.id)) : page));
      this.#changed();
    }
    this.isWhole = true;
    this.#changed();
  }

  async #peopleOf(project) {
    const bookings = await this.api.all("/allocations", { projectId: project }, { signal: this.signal });
    return new Set(bookings.map((booking) => booking.employeeId));
  }

  bookings(person) { return [...(this.#bookings.get(person)?.values() ?? [])]; }
  leave(person) { return [...(this.#leave.get(person)?.values() ?? [])]; }
  /** Load of the week that begins on the day: `{capacityHours, hardHours, softHours}`, or undefined while unknown. */
  load(person, monday) { return this.#loads.get(person)?.get(monday); }
  project(id) { return this.#projects.get(id); }

  /** Sees to it that what is in view is known. */
  want(people, from, to) {
    for (let piece = Math.floor(from / PIECE); piece <= Math.floor(to / PIECE); piece += 1) {
      for (const person of people) this.#ask(`${person}/${piece}`, () => this.#fetch(person, piece * PIECE, piece * PIECE + PIECE - 1));
    }
  }

  /** Puts what a write answered in the place of what was known. */
  put(booking) {
    for (const bookings of this.#bookings.values()) bookings.delete(booking.id);
    if (!booking.isCancelled) this.#of(this.#bookings, booking.employeeId).set(booking.id, booking);
    this.#wantProject(booking.projectId);
    this.#changed();
  }

  remove(id) {
    for (const bookings of this.#bookings.values()) bookings.delete(id);
    this.#changed();
  }

  /** What is known of people's load may have changed: it is asked for again when it is next in view. */
  forgetLoads(people) {
    for (const person of people) {
      for (const key of [...this.#asked]) if (key.startsWith(`${person}/`)) this.#asked.delete(key);
    }
  }

  #ask(key, action) {
    if (this.#asked.has(key)) return;
    this.#asked.add(key);
    this.#queue.push({ key, action });
    this.#next();
  }

  #next() {
    while (this.#running < AT_ONCE && this.#queue.length > 0) {
      // What came into view last is wanted most.
      const { key, action } = this.#queue.pop();
      this.#running += 1;
      action().catch(() => this.#asked.delete(key)).finally(() => {
        this.#running -= 1;
        this.#next();
        this.#changed();
      });
    }
  }

  async #fetch(person, first, last) {
    const window = { employeeId: person, from: formatDay(first), to: formatDay(last) };
    const options = { signal: this.signal };
    const [bookings, leave, loads] = await Promise.all([
      this.api.all("/allocations", window, options), this.api.all("/leave", window, options).catch(() => []),
      this.api.get("/reports/utilization", { ...window, groupBy: "person", period: "week" }, options).then(({ data }) => data.flatMap((row) => row.periods ?? []), () => []),
    ]);
    const known = this.#of(this.#bookings, person);
    for (const booking of bookings) {
      if (!booking.isCancelled) known.set(booking.id, booking);
      this.#wantProject(booking.projectId);
    }
    for (const one of leave) this.#of(this.#leave, person).set(one.id, one);
    const weeks = this.#of(this.#loads, person);
    for (const row of loads) weeks.set(monday(parseDay(row.from)), row);
  }

  #wantProject(id) {
    this.#ask(`project/${id}`, async () => this.#projects.set(id, (await this.api.get(`/projects/${id}`, {}, { signal: this.signal })).data));
  }

  #of(map, key) {
    if (!map.has(key)) map.set(key, new Map());
    return map.get(key);
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
