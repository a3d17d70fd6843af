// The tenant's settings, and its calendars of holidays.

import { h, replace } from "../../lib/dom.js";
import * as format from "../../lib/format.js";
import { actionCard, badge, button, card, empty, field, input, later, select } from "../../ui/controls.js";
import { confirmDialog, formDialog, isReadable, showProblem, toast } from "../../ui/dialog.js";
import { pagedTable } from "../../ui/table.js";

const KNOWN = {
  company_name: { label: "Company's name" },
  timezone: { label: "Time zone", options: () => ["UTC", ...Intl.supportedValuesOf("timeZone")], unset: "UTC" },
  default_capacity: { label: "Hours a week", hint: "Of a new person", type: "number" },
  fiscal_year_start: { label: "Fiscal year begins", hint: "Month and day, such as 01-01" },
  overbooking: { label: "Over-booking", options: () => ["allow", "warn", "refuse"], unset: "warn" },
};

export async function settingsPart({ api, session, reload }) {
  const { data } = await api.get("/settings");
  return [settingsCard(api, session, data.settings ?? data), session.can("read", "calendars") && calendars(api, session, reload)];
}

function settingsCard(api, session, settings) {
  const mayUpdate = session.can("update", "settings");
  const entries = Object.entries(KNOWN).map(([name, { label, options, type, hint, unset }]) => {
    const value = String(settings[name] ?? unset ?? "");
    // A zone may have another name than browsers give it: what is set is always there to be chosen.
    const control = options ? select([...new Set([value, ...options()])], value, { name }) : input({ name, type: type ?? "text", value });
    control.disabled = !mayUpdate;
    return Object.assign(field(label, control, { hint }), { before: value });
  });
  const trouble = h("div");
  const save = button("Save", { kind: "primary", type: "submit" });
  return card("Settings", h("form", {
    class: "form", novalidate: true,
    onsubmit: async (event) => {
      event.preventDefault();
      replace(trouble);
      if (!isReadable(entries)) return;
      // What is emptied is not set any more.
      const changed = Object.fromEntries(entries.filter(({ before, control }) => control.value !== before)
        .map(({ control }) => [control.name, control.value === "" ? null : control.type === "number" ? Number(control.value) : control.value]));
      save.disabled = true;
      try {
        if (Object.keys(changed).length > 0) await api.patch("/settings", { settings: changed });
        for (const entry of entries) entry.before = entry.control.value;
        if (changed.timezone) session.moveTo(changed.timezone);
        toast("The settings are saved.");
      } catch (error) {
        const named = error.errors?.map((one) => ({ ...one, field: one.field.replace(/^settings\./, "") }));
        showProblem(Object.assign(error, { errors: named ?? [] }), entries, trouble);
      } finally {
        save.disabled = false;
      }
    },
  }, h("div", { class: "form-row" }, entries), trouble, mayUpdate && h("div", { class: "actions" }, save)));
}

function calendars(api, session, reload) {
  const mayWrite = session.can("write", "calendars");
  // A calendar's holidays are asked for when somebody looks at them.
  const fill = (element, calendar) => {
    if (element.open && element.children.length === 1) element.append(holidays(api, session, calendar, reload));
  };
  return actionCard("Calendars", mayWrite && button("Add a calendar", { icon: "plus", onclick: () => add(api, reload) }), later(async () => {
    const all = await api.all("/calendars");
    return h("div", {}, all.map((calendar) => h("details", { ontoggle: (event) => fill(event.currentTarget, calendar) }, h("summary", {}, calendar.name, " ", calendar.isDefault && badge("default")))));
  }));
}

function holidays(api, session, calendar, reload) {
  const mayWrite = session.can("write", "calendars") || session.can("update", "calendars");
  return h("div", { class: "stack" }, mayWrite && h("div", { class: "actions" }, button("Add a holiday", { icon: "plus", onclick: () => addHoliday(api, calendar, reload) })), pagedTable({
    api, path: `/calendars/${calendar.id}/holidays`, label: `Holidays of ${calendar.name}`, empty: empty("No holiday yet"),
    columns: [
      { title: "Day", kind: "date", cell: (row) => format.day(row.date) },
      { title: "Name", cell: (row) => row.name },
      { title: "Off", cell: (row) => (row.minutesOff ? `${row.minutesOff} minutes` : "Whole day") },
      { title: "", kind: "actions", cell: (row) => mayWrite && button(`Delete ${row.name}`, { icon: "remove", iconOnly: true, kind: "quiet", onclick: async () => {
        if (await confirmDialog(`Delete ${row.name}`, "The day counts as a working day again.", "Delete", () => api.delete(`/calendars/${calendar.id}/holidays/${row.date}`))) reload();
      } }) },
    ],
  }));
}

function add(api, reload) {
  const name = field("Name", input({ name: "name" }), { hint: "A place or a country" });
  return formDialog({ title: "Add a calendar", fields: [name], submit: async (_, once) => {
    const body = { name: name.control.value };
    await api.post("/calendars", body, { once: once(body) });
    reload();
  } });
}

function addHoliday(api, calendar, reload) {
  const date = field("Day", input({ name: "date", type: "date" }));
  const name = field("Name", input({ name: "name" }));
  const minutes = field("Minutes off", input({ name: "minutesOff", type: "number", min: 1, max: 1440 }), { hint: "Leave empty for the whole day" });
  return formDialog({ title: `Add a holiday to ${calendar.name}`, fields: [date, name, minutes], submit: async (_, once) => {
    const body = { date: date.control.value, name: name.control.value, minutesOff: minutes.control.value ? Number(minutes.control.value) : null };
    await api.post(`/calendars/${calendar.id}/holidays`, body, { once: once(body) });
    reload();
  } });
}
