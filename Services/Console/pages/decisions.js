// What people made of an answer: recorded with the answer, so that later it can be said what came of following it.

import { h } from "../lib/dom.js";
import * as format from "../lib/format.js";
import { badge, field } from "../ui/controls.js";
import { formDialog, toast } from "../ui/dialog.js";

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

const record = (api, answer, decision) => api.post(`/predictions/${answer.predictionId}/decision`, decision);

/** Records what was booked after an answer. The booking stands whether or not that works. */
export async function recordBooking(api, answer, question, booking) {
  try {
    await record(api, answer, decisionOf(question, booking));
  } catch (error) {
    toast(`The booking is saved, but not what it says about the answer: ${error.message}`, { tone: "bad" });
  }
}

/** Asks why an answer is not followed, and records it. */
export function refuse(api, answer) {
  const reason = h("textarea", { class: "input", name: "reason", rows: 3, maxlength: 2000 });
  return formDialog({
    title: "Not this way", note: "The answer is kept with the refusal, so that refused answers can be compared with followed ones.",
    fields: [field("Why", reason, { hint: "May stay empty" })], submitLabel: "Record",
    submit: async () => {
      await record(api, answer, { decision: "rejected", reason: reason.value.trim() || undefined });
      toast("The refusal is recorded.");
    },
  });
}
