// Asking: who, on what, with which skills and plan → the hours and how sure, why, who else; and booking from there.

import { debounce, h, replace, s } from "../lib/dom.js";
import * as days from "../lib/days.js";
import * as format from "../lib/format.js";
import { link } from "../lib/router.js";
import { uuid } from "../lib/ids.js";
import { badge, button, card, empty, failure, field, figure, input, loading, pageHead } from "../ui/controls.js";
import { comboField, combobox } from "../ui/combobox.js";
import { toast } from "../ui/dialog.js";
import { table } from "../ui/table.js";
import { drawing, scale, sized, ticks } from "../ui/chart.js";
import { bookingDialog, findPeople, findProjects } from "./bookings.js";
import { recordBooking, refuse } from "./decisions.js";

export default async function askPage({ api, session, router, query }) {
  const known = async (path, id) => (id ? api.get(`/${path}/${id}`).then(({ data }) => ({ id, label: data.name, item: data }), () => null) : null);
  const person = combobox({ placeholder: "Type a name", name: "employeeId", find: findPeople(api), chosen: await known("employees", query.get("person")), onchoose: () => asked() });
  const project = combobox({ placeholder: "Type a name", name: "projectId", find: findProjects(api), chosen: await known("projects", query.get("project")), onchoose: (item) => {
    if (item?.item && !skills.value) skills.value = item.item.requiredSkills.join(", ");
    asked();
  } });
  const skills = input({ name: "requiredSkills", value: query.get("skills") ?? "" });
  const title = input({ name: "title", maxlength: 500, value: query.get("title") ?? "" });
  const planned = input({ type: "number", min: 0, step: "any", name: "plannedHours", value: query.get("hours") ?? "" });
  const share = input({ type: "number", min: 0, max: 100, name: "allocationPercentage", value: query.get("share") ?? "" });
  const start = input({ type: "date", name: "startDate", value: query.get("from") ?? days.formatDay(days.today(session.timeZone)) });
  const end = input({ type: "date", name: "endDate", value: query.get("to") ?? "" });
  const answer = h("div", { class: "stack", "aria-live": "polite" }, empty("Ask a question", "Choose a person and a project. With planned hours the answer also says how likely the work stays within them."));
  let earlier = null;
  let asking = 0;

  const body = () => {
    const wanted = skills.value.split(",").map((text) => text.trim()).filter(Boolean);
    return {
      employeeId: person.choice.id, projectId: project.choice.id, requiredSkills: wanted.length > 0 ? wanted : undefined,
      plannedHours: planned.value === "" ? undefined : Number(planned.value), allocationPercentage: share.value === "" ? undefined : Number(share.value),
      startDate: start.value || undefined, endDate: end.value || undefined, title: title.value.trim() || undefined,
    };
  };
  const asked = debounce(ask, 500);
  for (const control of [skills, title, planned, share, start, end]) control.addEventListener("change", () => asked());

  async function ask() {
    if (!person.choice || !project.choice) return;
    router.note({ person: person.choice.id, project: project.choice.id, skills: skills.value, title: title.value.trim(), hours: planned.value, share: share.value, from: start.value, to: end.value });
    replace(answer, loading("Asking"));
    asking += 1;
    const mine = asking;
    try {
      const question = body();
      const { data } = await api.post("/predictions", question, { once: uuid() });
      // An input was changed meanwhile: the later question's answer counts.
      if (mine !== asking) return;
      replace(answer, answerView({ api, session, data, question, name: person.choice.label, earlier, choose: (one) => { person.setChoice({ id: one.employeeId, label: one.name }); } }));
      earlier = data.estimatedHours;
    } catch (error) {
      if (mine !== asking) return;
      replace(answer, error.code === "no_deployed_model"
        ? empty("No model is in service yet", "Train one and put it into service; then questions are answered.", h("a", { class: "button", href: "#/models" }, "Go to models")) : failure(error, ask));
    }
  }
  if (person.choice && project.choice) ask();
  return [
    pageHead("Ask", { note: "How many hours, how likely within the plan, and who else. Change any input to see what it changes." }),
    h("div", { class: "stack" }, card(null, h("form", { class: "form", onsubmit: (event) => { event.preventDefault(); ask(); } },
      h("div", { class: "form-row" }, comboField("Person", person), comboField("Project", project)),
      h("div", { class: "form-row" }, field("Planned hours", planned), field("Percent of the week", share), field("From", start), field("To", end)),
      h("div", { class: "form-row" }, field("Required skills", skills, { hint: "Separated by commas; empty for the project's own" }), field("Title", title, { hint: "What is to be done, as bookings are titled" })),
      h("div", { class: "actions" }, button("Ask", { kind: "primary", type: "submit", icon: "ask" })))), answer),
  ];
}

function answerView({ api, session, data, question, name, earlier, choose }) {
  const mayDecide = session.can("feedback", "ml");
  const change = earlier !== null && earlier !== data.estimatedHours ? `before: ${format.hours(earlier)}` : "the median of what such work takes";
  return [
    data.warnings?.length > 0 && h("div", { class: "notice" }, h("ul", {}, data.warnings.map((text) => h("li", {}, text)))),
    card(null, h("div", { class: "answer-figures" },
      figure("Estimated hours", format.hours(data.estimatedHours), change),
      figure("Within the plan", format.share(data.successProbability), question.plannedHours ? `planned: ${format.hours(question.plannedHours)}` : "needs planned hours"),
      figure("Confidence", format.percent(data.confidence), "to come within 25 % of the estimate"),
      figure("Recommended", format.percent(data.recommendedAllocation), data.allocationNote ?? "of the person's week")),
    h("div", { style: { "margin-top": "var(--gap-4)" } }, rangeChart(data, question.plannedHours)),
    h("p", { class: "note" }, "Answered by ", h("a", { href: link(`models/${data.model.id}`) }, `model version ${data.model.version}`), ` (${format.words(data.model.kind)}).`),
    h("div", { class: "actions" }, session.can("write", "allocations") && button("Book", { kind: "primary", icon: "plus", onclick: () => bookingDialog({
      api, preset: { employeeId: question.employeeId, projectId: question.projectId, startDate: question.startDate, endDate: question.endDate, title: question.title, allocatedHours: question.plannedHours ?? Math.round(data.estimatedHours * 2) / 2 },
      onsaved: (booking, warnings) => {
        toast(warnings?.length ? `Booked, with ${warnings.length} warnings.` : "Booked.");
        if (mayDecide) recordBooking(api, data, question, booking);
      },
    }) }), mayDecide && button("Not this way", { onclick: () => refuse(api, data) }))),
    h("div", { class: "halves" }, card("Why", effects(data, name)), card("Who else", alternatives(data, choose))),
  ];
}

/** The hours on a line: the ranges that hold the outcome, the estimate, and the plan. */
function rangeChart(data, planned) {
  const ranges = [...(data.intervals ?? [])].sort((one, other) => other.level - one.level);
  if (ranges.length === 0) return h("p", { class: "note" }, "Too few outcomes are known to say a range.");
  const percent = (range) => format.percent(range.level > 1 ? range.level : range.level * 100);
  const said = ranges.map((range) => `${percent(range)} between ${format.number(range.low, 1)} and ${format.hours(range.high)}`).join("; ");
  const high = Math.max(data.estimatedHours, planned ?? 0, ...ranges.map((range) => range.high)) * 1.06;
  const height = 84 + ranges.length * 30;
  return sized((width) => {
    const x = scale(0, high, 12, width - 12);
    const bottom = height - 26;
    const values = ticks(0, high, Math.max(3, Math.floor(width / 80)));
    const digits = values.every(Number.isInteger) ? 0 : 1;
    // The plan's label keeps clear of the estimate's.
    const marker = (value, text, y, colour, dashed) => [
      s("line", { x1: x(value), x2: x(value), y1: y + 6, y2: bottom, style: { stroke: colour }, "stroke-width": 2, "stroke-dasharray": dashed ? "4 3" : null }),
      s("text", { class: "strong", x: Math.min(width - 70, Math.max(70, x(value))), y, "text-anchor": "middle" }, text),
    ];
    return drawing(`Hours: ${said}; estimate ${format.hours(data.estimatedHours)}`, width, height,
      values.map((value) => [s("line", { class: "axis", x1: x(value), x2: x(value), y1: 44, y2: bottom }), s("text", { x: x(value), y: height - 8, "text-anchor": "middle" }, format.number(value, digits))]),
      ranges.map((range, index) => {
        const top = 50 + (ranges.length - 1 - index) * 30;
        return [
          s("rect", { x: x(range.low), width: Math.max(3, x(range.high) - x(range.low)), y: top, height: 22, rx: 5, style: { fill: index === ranges.length - 1 ? "var(--load-2)" : "var(--load-1)" } }),
          s("text", { class: "strong", x: x(range.high) - 8, y: top + 15, "text-anchor": "end" }, x(range.high) - x(range.low) > 150 ? `${percent(range)}: ${format.number(range.low, 1)} – ${format.hours(range.high)}` : percent(range)),
        ];
      }),
      planned ? marker(planned, `plan ${format.hours(planned)}`, 14, "var(--warn)", true) : null,
      marker(data.estimatedHours, `estimate ${format.hours(data.estimatedHours)}`, 34, "var(--ink)", false));
  });
}

function effects(data, name) {
  const shown = data.explanation ?? [];
  if (shown.length === 0) return h("p", { class: "note" }, "Nothing moves the estimate away from the plan.");
  const most = Math.max(0.1, ...shown.map((one) => Math.abs(Math.log(one.effect))));
  return h("div", {}, shown.map((one) => {
    const size = (Math.abs(Math.log(one.effect)) / most) * 50;
    const isMore = one.effect >= 1;
    return h("div", { class: "effect" }, h("span", {}, one.text ?? format.words(one.feature)), h("div", { class: "effect-track" },
      h("div", { class: ["effect-bar", !isMore && "effect-less"], style: { left: `${isMore ? 50 : 50 - size}%`, width: `${size}%` } })), h("span", { class: "cell-number" }, `${isMore ? "+" : "−"}${format.number(Math.abs(one.effect - 1) * 100, 0)} %`));
  }), h("p", { class: "note" }, `Each bar is a factor on the hours of ${name}: to the right longer, to the left shorter.`));
}

function alternatives(data, choose) {
  return table({
    label: "Who else", rows: data.alternativeOptions, empty: h("p", { class: "note" }, "Nobody else fits."),
    columns: [
      { title: "Person", cell: (one) => h("a", { href: link(`people/${one.employeeId}`) }, one.name) },
      { title: "Hours", kind: "number", cell: (one) => format.hours(one.estimatedHours) },
      { title: "Within plan", kind: "number", cell: (one) => format.share(one.successProbability) },
      { title: "Free", kind: "number", cell: (one) => format.share(one.availability) },
      { title: "Skills", kind: "number", cell: (one) => badge(format.share(one.skillMatch), one.skillMatch >= 1 ? "good" : "warn") },
      { title: "", kind: "actions", cell: (one) => button(`Ask about ${one.name}`, { icon: "ask", iconOnly: true, kind: "quiet", onclick: () => choose(one) }) },
    ],
  });
}
