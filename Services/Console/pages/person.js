// One person: time (employment, contracts, leave), skills, bookings, and how forecasts about them came out.

import { h } from "../lib/dom.js";
import * as format from "../lib/format.js";
import { linesOf } from "../lib/lines.js";
import { link } from "../lib/router.js";
import { actionCard, button, card, empty, facts, field, input, later, linkButton, pageHead, select, wide } from "../ui/controls.js";
import { confirmDialog, formDialog } from "../ui/dialog.js";
import { pagedTable, table } from "../ui/table.js";
import { historyOf } from "./administration/audit.js";
import { bookingColumns, bookingDialog, saySaved } from "./bookings.js";
import { decisionBadge } from "./decisions.js";
import { editPerson, skillBadges, stateBadge } from "./people.js";

const WEEKDAYS = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"];

export default async function personPage({ api, session, router, parameters, reload }) {
  const { data: person, tag } = await api.get(`/employees/${parameters.id}`);
  const mayUpdate = session.can("update", "employees");
  return [
    pageHead(person.name, {
      note: [person.externalId, person.email].filter(Boolean).join(" · "), back: { href: "#/people", label: "People" },
      actions: [
        session.can("write", "allocations") && button("Book", { icon: "plus", kind: "primary", onclick: () => bookingDialog({ api, preset: { employeeId: person.id }, onsaved: (_, warnings) => { saySaved(warnings); reload(); } }) }),
        session.can("predict", "ml") && linkButton("Ask", link("ask", { person: person.id }), { icon: "ask" }),
        mayUpdate && button("Edit", { icon: "edit", onclick: () => editPerson(api, person, (_, warnings) => { saySaved(warnings); reload(); }, tag) }),
        session.can("delete", "employees") && button("Delete", { icon: "remove", onclick: async () => {
          if (await confirmDialog(`Delete ${person.name}`, "A person can be deleted only while no booking refers to them.", "Delete", () => api.delete(`/employees/${person.id}`, { tag }))) router.go("people");
        } }),
      ],
    }),
    h("div", { class: "halves" },
      card("Person", facts([
        ["State", stateBadge(person)], ["Department", person.department], ["Week", format.hours(person.weeklyCapacityHours)],
        ["First day", format.day(person.hiredOn)], ["Last day worked", format.day(person.leftOn)], person.inactiveFrom && ["On hold from", format.day(person.inactiveFrom)],
      ])),
      actionCard("Skills", mayUpdate && button("Edit skills", { icon: "edit", onclick: () => editSkills(api, person, reload) }), person.skills.length > 0 ? skillBadges(person.skills) : h("p", { class: "note" }, "No skill is known.")),
      card("Employment", later(() => employment(api, person))),
      actionCard("Contracts", mayUpdate && button("Add a contract", { icon: "plus", onclick: () => addContract(api, session, person, reload) }), later(() => contracts(api, person))),
      session.can("read", "leave") && actionCard("Leave", session.can("write", "leave") && button("Add leave", { icon: "plus", onclick: () => addLeave(api, person, reload) }), leave(api, session, person, reload)),
      session.can("read", "ml") && wide(card("Forecasts", forecasts(api, person))),
      session.can("read", "allocations") && wide(card("Bookings", pagedTable({
        api, path: "/allocations", query: { employeeId: person.id }, label: `Bookings of ${person.name}`, empty: empty("No booking yet"), columns: bookingColumns(api, { project: true, session, reload }),
      }))),
      session.can("read", "audit") && wide(card("History", historyOf(api, session, "employee", person.id)))),
  ];
}

async function employment(api, person) {
  const { data: spells } = await api.get(`/employees/${person.id}/employment`);
  return table({
    label: "Employment", rows: spells, empty: h("p", { class: "note" }, "Employed since ever, until further notice."),
    columns: [{ title: "First day", kind: "date", cell: (spell) => format.day(spell.firstDay) }, { title: "Last day worked", kind: "date", cell: (spell) => format.day(spell.lastDay) }],
  });
}

async function contracts(api, person) {
  const { data } = await api.get(`/employees/${person.id}/contracts`);
  return table({
    label: "Contracts", rows: data, empty: h("p", { class: "note" }, "No contract is known."),
    columns: [
      { title: "From", cell: (one) => (one.effectiveFrom ? format.day(one.effectiveFrom) : "Since ever") },
      { title: "Hours by weekday", kind: "wide", cell: (one) => one.weekdayMinutes.map((minutes, day) => (minutes > 0 ? `${WEEKDAYS[day]} ${format.hours(minutes / 60)}` : null)).filter(Boolean).join(", ") },
      { title: "Week", kind: "number", cell: (one) => format.hours(one.weekdayMinutes.reduce((sum, minutes) => sum + minutes, 0) / 60) },
    ],
  });
}

function leave(api, session, person, reload) {
  return pagedTable({
    api, path: "/leave", query: { employeeId: person.id }, label: `Leave of ${person.name}`, limit: 20, empty: h("p", { class: "note" }, "No leave is known."),
    columns: [
      { title: "From", kind: "date", cell: (one) => format.day(one.firstDay) }, { title: "To", kind: "date", cell: (one) => format.day(one.lastDay) },
      { title: "Kind", cell: (one) => format.words(one.kind) }, { title: "State", cell: (one) => format.words(one.status) },
      { title: "", kind: "actions", cell: (one) => h("div", { class: "row-actions" },
        one.status === "requested" && session.can("update", "leave") && button("Approve", { kind: "quiet", onclick: async () => {
          saySaved((await api.patch(`/leave/${one.id}`, { status: "approved" })).warnings);
          reload();
        } }),
        session.can("delete", "leave") && button("Delete this leave", { icon: "remove", iconOnly: true, kind: "quiet", onclick: async () => {
          if (await confirmDialog("Delete the leave", "The days count as working days again.", "Delete", () => api.delete(`/leave/${one.id}`))) reload();
        } })) },
    ],
  });
}

function forecasts(api, person) {
  return pagedTable({
    api, path: "/predictions", query: { employeeId: person.id }, label: `Forecasts about ${person.name}`, limit: 10, empty: h("p", { class: "note" }, "Nobody has asked yet."),
    columns: [
      { title: "Asked", kind: "date", cell: (one) => format.moment(one.createdAt) },
      { title: "Planned", kind: "number", cell: (one) => format.hours(one.request.plannedHours) },
      { title: "Estimated", kind: "number", cell: (one) => format.estimate(one.prediction.estimatedHours) },
      { title: "80 % range", kind: "number", cell: (one) => (one.prediction.interval ? `${format.number(one.prediction.interval.low, 1)}–${format.estimate(one.prediction.interval.high)}` : "–") },
      { title: "Came out", kind: "number", cell: (one) => format.hours(one.actual?.actualHours) },
      { title: "Decision", cell: (one) => decisionBadge(one.decision) },
    ],
  });
}

function addLeave(api, person, reload) {
  const first = field("First day", input({ type: "date", name: "firstDay" }));
  const last = field("Last day", input({ type: "date", name: "lastDay" }));
  const kind = field("Kind", input({ name: "kind", value: "vacation" }));
  const status = field("State", select([["approved", "Approved"], ["requested", "Requested"]], "approved", { name: "status" }));
  const minutes = field("Minutes a day", input({ type: "number", name: "minutesPerDay", min: 1, max: 1440 }), { hint: "Leave empty for whole days" });
  return formDialog({
    title: `Leave of ${person.name}`, fields: [first, last, kind, status, minutes],
    submit: async (_, once) => {
      const body = {
        employeeId: person.id, firstDay: first.control.value, lastDay: last.control.value || first.control.value, kind: kind.control.value, status: status.control.value,
        minutesPerDay: minutes.control.value ? Number(minutes.control.value) : null,
      };
      const { warnings } = await api.post("/leave", body, { once: once(body) });
      saySaved(warnings);
      reload();
    },
  });
}

async function addContract(api, session, person, reload) {
  const calendars = session.can("read", "calendars") ? await api.all("/calendars") : [];
  const from = field("From", input({ type: "date", name: "effectiveFrom" }));
  const hours = WEEKDAYS.map((name, day) => field(name, input({ type: "number", name: `weekdayMinutes[${day}]`, min: 0, max: 24, step: "any", value: day < 5 ? 8 : 0, "aria-label": `Hours on ${name}` })));
  const calendar = field("Calendar", select([["", "Default"], ...calendars.map((one) => [one.id, one.name])], "", { name: "calendarId" }));
  return formDialog({
    title: `A contract of ${person.name}`, note: "Earlier contracts stay in force for their own time.", fields: [from, h("div", { class: "form-row" }, hours), calendar],
    submit: async (_, once) => {
      const body = {
        effectiveFrom: from.control.value || null, weekdayMinutes: hours.map((entry) => Math.round(Number(entry.control.value) * 60)), calendarId: calendar.control.value || null,
      };
      const { warnings } = await api.post(`/employees/${person.id}/contracts`, body, { once: once(body) });
      saySaved(warnings);
      reload();
    },
  });
}

async function editSkills(api, person, reload) {
  // Together with the tag: what somebody else has changed meanwhile is not overwritten.
  const { data: held, tag } = await api.get(`/employees/${person.id}/skills`);
  const text = field("Skills", h("textarea", { class: "input", name: "skills", rows: 8 }, held.map((one) => (one.level ? `${one.skill}: ${one.level}` : one.skill)).join("\n")), { hint: "One a line, with a level from 1 to 5 behind a colon" });
  return formDialog({
    title: `Skills of ${person.name}`, fields: [text],
    submit: async () => {
      const skills = linesOf(text.control.value).map((line) => {
        const [, name, level] = line.match(/^(.*?)(?::\s*([1-5]))?$/);
        const known = held.find((one) => one.skill === name.trim());
        return { skill: name.trim(), level: level ? Number(level) : null, since: known?.since ?? null };
      });
      await api.put(`/employees/${person.id}/skills`, { skills }, { tag });
      reload();
    },
  });
}
