// Bookings as lists and as a form: the same on the board, on a person's page and on a project's.

import { debounce, h, replace } from "../lib/dom.js";
import * as format from "../lib/format.js";
import { link } from "../lib/router.js";
import { badge, button, failure, field, input, loading, select } from "../ui/controls.js";
import { comboField, combobox } from "../ui/combobox.js";
import { formDialog, toast } from "../ui/dialog.js";
import { icon } from "../ui/icons.js";
import { table } from "../ui/table.js";
import { newId } from "./board/edits.js";

/** The effort in the way in which it was stated. */
export function effortText(booking) {
  if (booking.allocatedHours !== null && booking.allocatedHours !== undefined) return format.hours(booking.allocatedHours);
  if (booking.hoursPerDay !== null && booking.hoursPerDay !== undefined) return `${format.hours(booking.hoursPerDay)} a day`;
  if (booking.allocationPercentage !== null && booking.allocationPercentage !== undefined) return format.percent(booking.allocationPercentage);
  return "No effort stated";
}

export function bookingState(booking) {
  if (booking.isCancelled) return badge("cancelled", "bad");
  if (booking.completedAt) return badge("completed", "good");
  return booking.commitment === "soft" ? badge("soft", "info") : badge("hard");
}

/** Names of people and projects; those that are wanted at the same moment are asked for together. */
export class Names {
  #known = new Map();
  #wanted = new Map();
  constructor(api) { this.api = api; }

  async of(kind, id) {
    const key = `${kind}/${id}`;
    if (!this.#known.has(key)) {
      this.#known.set(key, this.#ask(kind).then((names) => names.get(id) ?? id, () => id));
      this.#wanted.get(kind).ids.add(id);
    }
    return this.#known.get(key);
  }

  #ask(kind) {
    if (!this.#wanted.has(kind)) {
      const ids = new Set();
      this.#wanted.set(kind, { ids, answer: new Promise((resolve) => setTimeout(resolve)).then(() => this.#fetch(kind, [...ids])) });
    }
    return this.#wanted.get(kind).answer;
  }

  async #fetch(kind, ids) {
    this.#wanted.delete(kind);
    const names = new Map();
    for (let start = 0; start < ids.length; start += 100) {
      for (const one of await this.api.all(`/${kind}`, { id: ids.slice(start, start + 100) })) names.set(one.id, one.name);
    }
    return names;
  }

  anchor(kind, page, id) {
    const element = h("a", { href: link(`${page}/${id}`) }, "…");
    this.of(kind, id).then((name) => replace(element, name));
    return element;
  }
}

/** The columns of a list of bookings; `session` and `reload` let a row be opened and changed. */
export function bookingColumns(api, { person, project, session, reload }) {
  const names = new Names(api);
  const open = async ({ id }) => {
    const { data: booking, tag } = await api.get(`/allocations/${id}`);
    await bookingDialog({ api, booking, tag, isReadOnly: !session.can("update", "allocations"), onsaved: reload });
  };
  return [
    person && { title: "Person", cell: (row) => names.anchor("employees", "people", row.employeeId) },
    project && { title: "Project", cell: (row) => names.anchor("projects", "projects", row.projectId) },
    { title: "From", kind: "date", cell: (row) => format.day(row.startDate) },
    { title: "To", kind: "date", cell: (row) => format.day(row.endDate) },
    { title: "Effort", kind: "number", cell: effortText },
    { title: "Actual", kind: "number", cell: (row) => format.hours(row.actualHours) },
    { title: "State", cell: bookingState },
    { title: "Id", cell: (row) => h("span", { class: "note" }, row.externalId) },
    { title: "", kind: "actions", cell: (row) => button(`Open booking ${row.externalId}`, { icon: "search", iconOnly: true, kind: "quiet", onclick: () => open(row) }) },
  ].filter(Boolean);
}

export const findPeople = (api) => async (text) => {
  const { data } = await api.get("/employees", { name: text || undefined, limit: 12 });
  return data.map((person) => ({ id: person.id, label: person.name, note: person.department ?? person.externalId, item: person }));
};

export const findProjects = (api) => async (text) => {
  const { data } = await api.get("/projects", { name: text || undefined, limit: 12 });
  return data.map((project) => ({ id: project.id, label: project.name, note: format.words(project.status), item: project }));
};

/** What the ledger says against a booking, as a list. */
export function warningList(warnings) {
  if (!warnings || warnings.length === 0) return h("p", { class: "note" }, icon("check"), " No conflict.");
  return h("div", { class: "notice", role: "status" }, icon("warning"), h("ul", {}, warnings.map((one) => h("li", {}, warningText(one)))));
}

export function warningText(warning) {
  if (typeof warning === "string") return warning;
  if (warning.message) return warning.message;
  const when = warning.from ? ` from ${format.day(warning.from)}${warning.to ? ` to ${format.day(warning.to)}` : ""}` : "";
  const over = warning.overHours ? `: ${format.hours(warning.overHours)} too much` : "";
  return `${format.words(warning.kind ?? warning.code)}${over}${when}`;
}

/** Says that something is saved, and what the ledger says to that. */
export function saySaved(warnings) {
  toast(warnings?.length ? `Saved. ${warningText(warnings[0])}${warnings.length > 1 ? ` (and ${warnings.length - 1} more)` : ""}` : "Saved.");
}

/** How a booking came to be what it is, asked for when somebody wants to know. */
function history(api, booking) {
  const names = new Names(api);
  const name = (kind, id) => {
    const place = h("span", {}, "…");
    names.of(kind, id).then((text) => replace(place, text));
    return place;
  };
  const place = h("div");
  const show = async ({ currentTarget }) => {
    if (!currentTarget.open || place.firstChild) return;
    replace(place, loading());
    try {
      const { data } = await api.get(`/allocations/${booking.id}/versions`);
      replace(place, table({
        label: "Versions", rows: data,
        columns: [
          { title: "Since", kind: "date", cell: (one) => format.moment(one.validFrom) },
          { title: "Person", cell: (one) => name("employees", one.employeeId) },
          { title: "Project", cell: (one) => name("projects", one.projectId) },
          { title: "Days", cell: (one) => format.span(one.startDate, one.endDate ?? null) },
          { title: "Effort", kind: "number", cell: effortText },
          { title: "State", cell: bookingState },
        ],
      }));
    } catch (error) {
      replace(place, failure(error));
    }
  };
  return h("details", { ontoggle: show }, h("summary", {}, "Versions"), place);
}

const WAYS = [["allocatedHours", "Hours in all"], ["hoursPerDay", "Hours a day"], ["allocationPercentage", "Percent of the person's time"]];

/**
 * The form of a booking, new or known. While it is filled in, the ledger's conflicts are asked for by a dry run.
 *
 * @param {{api, booking?: object, tag?: string, preset?: object, isReadOnly?: boolean, beforeSave?: () => Promise,
 *   onsaved: (booking, warnings) => void, oncopy?: (preset) => void, oncancel?: () => void}} options
 */
export async function bookingDialog({ api, booking = null, tag, preset = {}, isReadOnly = false, beforeSave = () => {}, onsaved, oncopy, oncancel }) {
  const now = booking ?? preset;
  const names = new Names(api);
  const chosen = async (kind, id) => (id ? { id, label: await names.of(kind, id) } : null);
  const person = combobox({ placeholder: "Type a name", name: "employeeId", find: findPeople(api), chosen: await chosen("employees", now.employeeId), onchoose: () => look() });
  const project = combobox({ placeholder: "Type a name", name: "projectId", find: findProjects(api), chosen: await chosen("projects", now.projectId), onchoose: () => look() });
  const start = input({ type: "date", name: "startDate", value: now.startDate ?? "" });
  const end = input({ type: "date", name: "endDate", value: now.endDate ?? "" });
  const stated = WAYS.find(([key]) => now[key] !== null && now[key] !== undefined)?.[0] ?? "allocationPercentage";
  const way = select(WAYS, stated);
  const amount = input({ type: "number", min: 0, step: "any", name: stated, value: now[stated] ?? "" });
  const commitment = select([["hard", "Hard"], ["soft", "Soft"]], now.commitment ?? "hard", { name: "commitment" });
  const identity = input({ name: "externalId", value: now.externalId ?? newId() });
  const title = input({ name: "title", maxlength: 500, value: now.title ?? "" });
  const warnings = h("div", { "aria-live": "polite" });
  way.addEventListener("change", () => { amount.name = way.value; look(); });
  for (const control of [start, end, amount, commitment]) control.addEventListener("change", () => look());

  const fields = [
    comboField("Person", person), comboField("Project", project),
    field("From", start), field("To", end, { hint: "Both days included" }),
    field("Effort", way), field("Amount", amount), field("Commitment", commitment), field("Title", title, { hint: "What is done; models learn from its words" }), field("Id", identity),
  ];

  /** What is empty is emptied of a booking that is known: the server says where something must stand. */
  const orEmpty = (value) => value || (booking ? null : undefined);
  function effort() {
    const number = amount.value === "" ? null : Number(amount.value);
    if (!booking) return number === null ? {} : { [way.value]: number };
    // As it was, and in more ways than one where it was so stated.
    if (way.value === stated && number === (now[stated] ?? null)) return {};
    return Object.fromEntries(WAYS.map(([key]) => [key, key === way.value ? number : null]));
  }
  function body() {
    return {
      externalId: identity.value, employeeId: orEmpty(person.choice?.id), projectId: orEmpty(project.choice?.id),
      startDate: orEmpty(start.value), endDate: orEmpty(end.value), commitment: commitment.value, ...effort(), ...(title.value.trim() !== (booking?.title ?? "") ? { title: title.value.trim() || null } : {}),
    };
  }
  const send = (query, extra = {}) => (booking
    ? api.send("PATCH", `/allocations/${booking.id}`, { body: body(), query, tag, ...extra })
    : api.send("POST", "/allocations", { body: body(), query, ...extra }));
  const look = debounce(async () => {
    const isHalfTyped = [start, end, amount].some(({ validity }) => validity.badInput);
    if (isHalfTyped || !person.choice || !project.choice || !start.value) return replace(warnings);
    try {
      replace(warnings, warningList((await send({ dryRun: "true" })).warnings));
    } catch (error) {
      replace(warnings, h("p", { class: "field-error" }, error.message));
    }
  }, 300);
  if (isReadOnly) for (const entry of fields) entry.control.disabled = true; else look();
  await formDialog({
    wide: Boolean(booking), title: isReadOnly ? "The booking" : booking ? "Edit the booking" : "Book somebody", submitLabel: isReadOnly ? null : booking ? "Save" : "Book",
    extra: booking && ((dialog) => [
      oncopy && button("Copy", { onclick: () => { dialog.close(); oncopy({ ...Object.fromEntries(WAYS.map(([key]) => [key, booking[key]])), ...body(), title: title.value, externalId: undefined }); } }),
      oncancel && button("Cancel the booking", { icon: "remove", onclick: () => { dialog.close(); oncancel(); } }),
    ]),
    fields: [fields[0], fields[1], h("div", { class: "form-row" }, fields.slice(2, 4)), h("div", { class: "form-row" }, fields.slice(4, 7)), fields[7], fields[8], warnings, booking && history(api, booking)],
    submit: async (_, once) => {
      await beforeSave();
      const { data, warnings: found } = await send(undefined, booking ? {} : { once: once(body()) });
      onsaved(data, found);
    },
  });
}
