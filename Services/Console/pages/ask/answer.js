// An answer: the hours as a distribution, how sure, why, and who else, side by side.

import { h, s } from "../../lib/dom.js";
import * as format from "../../lib/format.js";
import { link } from "../../lib/router.js";
import { badge, button, card, figure } from "../../ui/controls.js";
import { table } from "../../ui/table.js";
import { drawing, scale, sized, ticks } from "../../ui/chart.js";

/**
 * @param {{data: object, question: object, name: string, before?: number|null, state: Node, actions: Node[], choose: (one) => void}} options
 *   `before` is what the question that was asked before is answered now; `state` says whether the answer is kept.
 */
export function answerView({ data, question, name, before, state, actions, choose }) {
  const isOther = before !== null && before !== undefined && Math.abs(before - data.estimatedHours) >= 0.05;
  return [
    data.warnings?.length > 0 && h("div", { class: "notice" }, h("ul", {}, data.warnings.map((text) => h("li", {}, text)))),
    card(null, h("div", { class: "answer-figures" },
      figure("Estimated hours", format.estimate(data.estimatedHours), isOther ? `as asked before: ${format.estimate(before)}` : "the median of what such work takes"),
      figure("Within the plan", format.share(data.successProbability), question.plannedHours ? `planned: ${format.hours(question.plannedHours)}` : "needs planned hours"),
      figure("Confidence", format.percent(data.confidence), "to come within 25 % of the estimate"),
      figure("Recommended", format.percent(data.recommendedAllocation), data.allocationNote ?? "of the person's week")),
    h("div", { style: { "margin-top": "var(--gap-4)" } }, rangeChart(data, question.plannedHours)),
    h("p", { class: "note" }, "Answered by ", modelOf(data.model), "."), state,
    h("div", { class: "actions" }, actions)),
    h("div", { class: "halves" }, card("Why", effects(data, name)), card("Who else", alternatives(data, choose))),
  ];
}

function modelOf(model) {
  // The baseline is no model that could be looked at.
  if (!model.id) return "the baseline: no model is in service";
  return [h("a", { href: link(`models/${model.id}`) }, `model version ${model.version}`), ` (${format.words(model.kind)})`];
}

/** The hours on a line: the ranges that hold the outcome, the estimate, and the plan. */
function rangeChart(data, planned) {
  const ranges = [...(data.intervals ?? [])].sort((one, other) => other.level - one.level);
  if (ranges.length === 0) return h("p", { class: "note" }, "No range is given: too few outcomes are known, or a baseline answers.");
  const percent = (range) => format.percent(range.level > 1 ? range.level : range.level * 100);
  const said = ranges.map((range) => `${percent(range)} between ${format.number(range.low, 1)} and ${format.estimate(range.high)}`).join("; ");
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
    return drawing(`Hours: ${said}; estimate ${format.estimate(data.estimatedHours)}`, width, height,
      values.map((value) => [s("line", { class: "axis", x1: x(value), x2: x(value), y1: 44, y2: bottom }), s("text", { x: x(value), y: height - 8, "text-anchor": "middle" }, format.number(value, digits))]),
      ranges.map((range, index) => {
        const top = 50 + (ranges.length - 1 - index) * 30;
        return [
          s("rect", { x: x(range.low), width: Math.max(3, x(range.high) - x(range.low)), y: top, height: 22, rx: 5, style: { fill: index === ranges.length - 1 ? "var(--load-2)" : "var(--load-1)" } }),
          s("text", { class: "strong", x: x(range.high) - 8, y: top + 15, "text-anchor": "end" }, x(range.high) - x(range.low) > 150 ? `${percent(range)}: ${format.number(range.low, 1)} – ${format.estimate(range.high)}` : percent(range)),
        ];
      }),
      planned ? marker(planned, `plan ${format.hours(planned)}`, 14, "var(--warn)", true) : null,
      marker(data.estimatedHours, `estimate ${format.estimate(data.estimatedHours)}`, 34, "var(--ink)", false));
  });
}

function effects(data, name) {
  const shown = data.explanation ?? [];
  if (shown.length === 0) return h("p", { class: "note" }, "Nothing moves the estimate away from the plan.");
  const most = Math.max(0.1, ...shown.map((one) => Math.abs(Math.log(one.effect))));
  const end = (text, value) => value !== null && value !== undefined && h("div", { class: "effect effect-end" }, h("span", {}, text), h("span"), h("span", { class: "cell-number" }, format.estimate(value)));
  return h("div", {}, end("To begin with", data.explanationBase), shown.map((one) => {
    const size = (Math.abs(Math.log(one.effect)) / most) * 50;
    const isMore = one.effect >= 1;
    return h("div", { class: "effect" }, h("span", {}, one.text ?? format.words(one.feature)), h("div", { class: "effect-track" },
      h("div", { class: ["effect-bar", !isMore && "effect-less"], style: { left: `${isMore ? 50 : 50 - size}%`, width: `${size}%` } })), h("span", { class: "cell-number" }, `${isMore ? "+" : "−"}${format.number(Math.abs(one.effect - 1) * 100, 0)} %`));
  }), end("Together: the estimate", data.estimatedHours), h("p", { class: "note" }, `Each bar is a factor on the hours of ${name}: to the right longer, to the left shorter. All of them multiplied lead from the first figure to the last.`));
}

/** The person asked about among those who could do it, in the terms in which they are compared. */
function alternatives(data, choose) {
  const asked = data.standing && { ...data.standing, isAsked: true };
  const rows = [...(asked ? [asked] : []), ...data.alternativeOptions].sort((one, other) => (one.rank ?? Infinity) - (other.rank ?? Infinity));
  return [table({
    label: "Who else", rows, empty: h("p", { class: "note" }, "Nobody else fits."),
    columns: [
      { title: "Person", cell: (one) => [one.rank && `${format.count(one.rank)}. `, h("a", { href: link(`people/${one.employeeId}`) }, one.name), one.isAsked && [" ", badge("asked about", "info")]] },
      { title: "Hours", kind: "number", cell: (one) => format.estimate(one.estimatedHours) },
      { title: "Within plan", kind: "number", cell: (one) => format.share(one.successProbability) },
      { title: "Free", kind: "number", cell: (one) => format.share(one.availability) },
      { title: "Skills", kind: "number", cell: (one) => badge(format.share(one.skillMatch), one.skillMatch >= 1 ? "good" : "warn") },
      { title: "", kind: "actions", cell: (one) => !one.isAsked && button(`Ask about ${one.name}`, { icon: "ask", iconOnly: true, kind: "quiet", onclick: () => choose(one) }) },
    ],
  }), data.peopleCompared > 1 && h("p", { class: "note" }, `${format.count(data.peopleCompared)} people were compared; all of them have every required skill and are there throughout, save perhaps who was asked about.`)];
}
