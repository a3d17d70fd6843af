// Asking: who, on what, with which skills and plan → the hours and how sure, why, who else; and deciding from there.
//
// While inputs are changed nothing is kept: those answers are what-ifs. A question is kept once the planner asks it with the button
// or decides on it, so that the log holds what was meant.

import { debounce, h, replace } from "../lib/dom.js";
import * as days from "../lib/days.js";
import * as format from "../lib/format.js";
import { linesOf } from "../lib/lines.js";
import { link } from "../lib/router.js";
import { uuid } from "../lib/ids.js";
import { badge, button, card, empty, failure, field, input, loading, pageHead } from "../ui/controls.js";
import { comboField, combobox } from "../ui/combobox.js";
import { isReadable, toast } from "../ui/dialog.js";
import { answerView } from "./ask/answer.js";
import { bookingDialog, findPeople, findProjects } from "./bookings.js";
import { decisionBadge, decide, recordBooking, sayWhy } from "./decisions.js";

export default async function askPage({ api, session, router, query }) {
  const known = async (path, id) => (id ? api.get(`/${path}/${id}`).then(({ data }) => ({ id, label: data.name, item: data }), () => null) : null);
  const person = combobox({ placeholder: "Type a name", name: "employeeId", find: findPeople(api), chosen: await known("employees", query.get("person")), onchoose: () => {
    person.closest(".field").showError(null);
    changed();
  } });
  const project = combobox({ placeholder: "Type a name", name: "projectId", find: findProjects(api), chosen: await known("projects", query.get("project")), onchoose: (item) => {
    project.closest(".field").showError(null);
    if (item?.item && !skills.value) skills.value = item.item.requiredSkills.join("\n");
    changed();
  } });
  const skills = h("textarea", { class: "input", name: "requiredSkills", rows: 3 }, query.get("skills") ?? "");
  const title = input({ name: "title", maxlength: 500, value: query.get("title") ?? "" });
  const planned = input({ type: "number", min: 0, step: "any", name: "plannedHours", value: query.get("hours") ?? "" });
  const share = input({ type: "number", min: 0, max: 100, name: "allocationPercentage", value: query.get("share") ?? "" });
  const daily = input({ type: "number", min: 0, max: 24, step: "any", name: "hoursPerDay", value: query.get("daily") ?? "" });
  const start = input({ type: "date", name: "startDate", value: query.get("from") ?? days.formatDay(days.today(session.timeZone)) });
  const end = input({ type: "date", name: "endDate", value: query.get("to") ?? "" });
  const numbersAndDays = [planned, share, daily, start, end];
  const fields = [
    h("div", { class: "form-row" }, comboField("Person", person), comboField("Project", project)),
    h("div", { class: "form-row" }, field("Planned hours", planned), field("Percent of the week", share), field("Or hours a day", daily), field("From", start), field("To", end)),
    h("div", { class: "form-row" }, field("Required skills", skills, { hint: "One a line; empty for the project's own" }), field("Title", title, { hint: "What is to be done, as bookings are titled" })),
  ];
  const answer = h("div", { class: "stack", "aria-live": "polite" }, empty("Ask a question", "Choose a person and a project. With planned hours the answer also says how likely the work stays within them."));
  /** The latest question that was kept, with its answer; null before any. */
  let kept = null;
  /** What is being asked to be kept: `{question, promise}`; null when nothing is. */
  let keeping = null;
  let asking = 0;

  const body = () => {
    const wanted = linesOf(skills.value);
    return {
      employeeId: person.choice.id, projectId: project.choice.id, requiredSkills: wanted.length > 0 ? wanted : undefined,
      plannedHours: planned.value === "" ? undefined : Number(planned.value), allocationPercentage: share.value === "" ? undefined : Number(share.value),
      hoursPerDay: daily.value === "" ? undefined : Number(daily.value),
      startDate: start.value || undefined, endDate: end.value || undefined, title: title.value.trim() || undefined,
    };
  };
  const changed = debounce(() => look(), 400);
  for (const control of [skills, title, ...numbersAndDays]) control.addEventListener("change", () => changed());
  const isSame = (one, question) => one !== null && JSON.stringify(one.question) === JSON.stringify(question);
  const isKept = (question) => isSame(kept, question);

  /** Shows what the inputs say is answered. Nothing of it is kept. */
  async function look() {
    // Its answer is on its way.
    if (person.choice && project.choice && isSame(keeping, body())) return;
    await answered(async (question) => {
      if (isKept(question)) return { data: kept.data };
      const { data } = await api.post("/predictions/what-if", kept ? changing(kept, question) : question);
      return { data: data.answer, before: data.unchanged?.estimatedHours };
    });
  }

  /** Asks, and keeps the question with its answer. */
  function ask() {
    if (!isReadable(fields)) return null;
    for (const one of [person, project]) if (!one.choice) one.closest(".field").showError("must be chosen");
    return answered(async (question) => ({ data: (await keep(question)).data }));
  }

  /** The question as it is kept: asked now, unless it has been. */
  async function keep(question) {
    if (isKept(question)) return kept;
    if (!isSame(keeping, question)) keeping = { question, promise: api.post("/predictions", question, { once: uuid() }) };
    const mine = keeping;
    try {
      const { data } = await mine.promise;
      if (!isKept(question)) kept = { question, data, decision: null };
      return kept;
    } finally {
      if (keeping === mine) keeping = null;
    }
  }

  async function answered(give) {
    if (!person.choice || !project.choice || numbersAndDays.some(({ validity }) => validity.badInput)) return;
    router.note({ person: person.choice.id, project: project.choice.id, skills: skills.value, title: title.value.trim(), hours: planned.value, share: share.value, daily: daily.value, from: start.value, to: end.value });
    // The answer before stays in sight, so that the page does not jump with every change.
    if (answer.querySelector(".answer-figures")) answer.setAttribute("aria-busy", "true"); else replace(answer, loading("Asking"));
    asking += 1;
    const mine = asking;
    const question = body();
    const name = person.choice.label;
    try {
      const { data, before } = await give(question);
      // An input was changed meanwhile: the later question's answer counts.
      if (mine === asking) show(question, name, data, before);
    } catch (error) {
      if (mine !== asking) return;
      replace(answer, error.code === "no_deployed_model"
        ? empty("No model is in service yet", "Train one and put it into service; then questions are answered.", h("a", { class: "button", href: "#/models" }, "Go to models")) : failure(error, look));
    } finally {
      if (mine === asking) answer.removeAttribute("aria-busy");
    }
  }

  function show(question, name, data, before) {
    const again = () => show(question, name, kept.data, null);
    replace(answer, answerView({
      data, question, name, before, state: stateOf(question), actions: actions(question, data, name, again),
      choose: (one) => person.setChoice({ id: one.employeeId, label: one.name }),
    }));
  }

  function stateOf(question) {
    if (!isKept(question)) return h("p", { class: "note answer-state" }, badge("what if"), " Kept nowhere. Ask and keep, book or decide: then the question is kept with its answer.");
    return h("p", { class: "note answer-state" }, badge("kept", "good"), " The question is in the log", kept.decision ? [": ", decisionBadge(kept.decision), kept.decision.reason && ` ${kept.decision.reason}`] : "; nothing is decided yet.");
  }

  function actions(question, data, name, again) {
    const mayDecide = session.can("feedback", "ml");
    const isDecided = (decision) => { kept.decision = decision; again(); };
    return [
      session.can("write", "allocations") && button("Book", { kind: "primary", icon: "plus", onclick: () => bookingDialog({
        api, preset: { employeeId: question.employeeId, projectId: question.projectId, startDate: question.startDate, endDate: question.endDate, title: question.title, allocatedHours: question.plannedHours ?? Math.round(data.estimatedHours * 2) / 2 },
        // Before the booking is there to be counted.
        beforeSave: () => mayDecide && keep(question).catch(() => {}),
        onsaved: async (booking, warnings) => {
          toast(warnings?.length ? `Booked, with ${warnings.length} warnings.` : "Booked.");
          if (!mayDecide) return;
          const answer = isKept(question) ? kept.data : null;
          const decision = answer && await recordBooking(api, answer, question, booking);
          if (!decision) return;
          if (isKept(question)) isDecided(decision);
          toast(decision.decision === "accepted" ? "The answer was followed." : "The answer was changed.", { action: { label: "Say why", run: async () => {
            const said = await sayWhy(api, answer, decision);
            if (said && isKept(question)) isDecided(said);
          } } });
        },
      }) }),
      mayDecide && button("Record a decision", { icon: "edit", onclick: async () => {
        const decision = await decide({ api, keep: async () => (await keep(question)).data, question, name });
        if (decision) isDecided(decision);
      } }),
    ];
  }

  if (person.choice && project.choice) look();
  return [
    pageHead("Ask", { note: "How many hours, how likely within the plan, and who else. Change any input to see what that changes; nothing is kept until you ask or decide." }),
    h("div", { class: "stack" }, card(null, h("form", { class: "form", novalidate: true, onsubmit: (event) => { event.preventDefault(); ask(); } },
      fields, h("div", { class: "actions" }, button("Ask and keep", { kind: "primary", type: "submit", icon: "ask" })))), answer),
  ];
}

/** A question as the change of a kept one: what is empty now is emptied. */
function changing({ data, question: before }, question) {
  const emptied = Object.keys(before).filter((key) => before[key] !== undefined && question[key] === undefined);
  return { ...question, ...Object.fromEntries(emptied.map((key) => [key, null])), predictionId: data.predictionId };
}
