// What people made of an answer: recorded with the answer, so that later it can be said what came of following it.

import { h } from "../lib/dom.js";
import * as format from "../lib/format.js";
import { badge, field, input, select } from "../ui/controls.js";
import { comboField, combobox } from "../ui/combobox.js";
import { formDialog, toast } from "../ui/dialog.js";
import { findPeople } from "./bookings.js";

const TONES = { accepted: "good", changed: "info", rejected: "warn" };
const WORDS = { accepted: "followed", changed: "changed", rejected: "refused" };

/** A decision as a badge; its reason is the badge's title. */
export function decisionBadge(decision) {
  if (!decision) return format.NOTHING;
  const element = badge(WORDS[decision.decision] ?? format.words(decision.decision), TONES[decision.decision]);
  if (decision.reason) element.title = decision.reason;
  return element;
}

/** What a booking says about the question that led to it: followed, or what was decided on instead. */
export function decisionOf(question, booking) {
  const decided = { employeeId: booking.employeeId, projectId: booking.projectId, plannedHours: booking.allocatedHours, startDate: booking.startDate, endDate: booking.endDate };
  // What was not asked about was left to the planner.
  const isOther = ([key, value]) => question[key] !== undefined && value !== null && value !== undefined && value !== question[key];
  const instead = Object.fromEntries(Object.entries(decided).filter(isOther));
  return Object.keys(instead).length > 0 ? { decision: "changed", instead } : { decision: "accepted" };
}

const record = async (api, answer, decision) => (await api.post(`/predictions/${answer.predictionId}/decision`, decision)).data;

/** Records what was booked after an answer. The booking stands whether or not that works. @returns the decision, null where it is not recorded. */
export async function recordBooking(api, answer, question, booking) {
  const decision = decisionOf(question, booking);
  try {
    await record(api, answer, decision);
    return decision;
  } catch (error) {
    toast(`The booking is saved, but not what it says about the answer: ${error.message}`, { tone: "bad" });
    return null;
  }
}

/** Asks why after a decision that a booking has made, and records it with the reason. @returns the decision; null when nothing was said. */
export function sayWhy(api, answer, decision) {
  const reason = field("Why", h("textarea", { class: "input", name: "reason", rows: 3, maxlength: 2000 }));
  return formDialog({
    title: "Why it was decided so", fields: [reason], submitLabel: "Record",
    submit: async () => {
      const said = { ...decision, reason: reason.control.value.trim() || undefined };
      await record(api, answer, said);
      return said;
    },
  });
}

const CHOICES = [["rejected", "Refused: this is not done"], ["changed", "Changed: something else was decided on"], ["accepted", "Taken as asked, and booked elsewhere"]];

/**
 * Asks what was decided and why, and records it with the answer.
 *
 * @param {{api, keep: () => Promise<object>, question: object, name: string}} options `keep` gives the answer as it is in the log
 * @returns the decision; null when nothing was recorded
 */
export async function decide({ api, keep, question, name }) {
  const choice = field("What was decided", select(CHOICES, "rejected", { name: "decision" }));
  const person = combobox({ name: "instead.employeeId", placeholder: "Type a name", find: findPeople(api), chosen: { id: question.employeeId, label: name } });
  const planned = field("Planned hours", input({ name: "instead.plannedHours", type: "number", min: 0, step: "any", value: question.plannedHours ?? "" }));
  const expected = field("Hours you expect", input({ name: "instead.estimatedHours", type: "number", min: 0, step: "any" }), { hint: "Later it is told whose were nearer" });
  const whom = comboField("Person", person);
  const reason = field("Why", h("textarea", { class: "input", name: "reason", rows: 3, maxlength: 2000 }), { hint: "May stay empty" });
  const row = h("div", { class: "form-row" }, planned, expected);
  const instead = h("div", { class: "form", hidden: true }, whom, row);
  choice.control.addEventListener("change", () => { instead.hidden = choice.control.value !== "changed"; });
  const number = ({ control }) => (control.value === "" ? undefined : Number(control.value));
  return formDialog({
    title: "Record a decision", note: "The answer is kept with the decision, so that what came of followed and of overruled answers can be compared.",
    fields: [choice, instead, reason], submitLabel: "Record",
    submit: async () => {
      const decision = { decision: choice.control.value, reason: reason.control.value.trim() || undefined };
      if (decision.decision === "changed") {
        const isOther = person.choice && person.choice.id !== question.employeeId;
        const hours = number(planned);
        decision.instead = { employeeId: isOther ? person.choice.id : undefined, plannedHours: hours !== question.plannedHours ? hours : undefined, estimatedHours: number(expected) };
      }
      await record(api, await keep(), decision);
      toast("The decision is recorded.");
      return decision;
    },
  });
}
