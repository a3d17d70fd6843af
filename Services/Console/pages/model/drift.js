// How a model does in service: whether what it says still comes true, week by week, and the alarms that were raised.

import { h, s } from "../../lib/dom.js";
import * as days from "../../lib/days.js";
import * as format from "../../lib/format.js";
import { badge } from "../../ui/controls.js";
import { drawing, legend, scale, sized } from "../../ui/chart.js";
import { table } from "../../ui/table.js";

/** Weeks that are looked back. */
const WEEKS = 26;
/** Weeks that are drawn at least. */
const FEWEST = 8;
const MARGIN = { left: 44, right: 12, top: 14, bottom: 28 };
const KINDS = { confidence: "Confidence", range: "Ranges", success: "Chance of success", plans: "Plans" };
const COLOURS = { said: "var(--ink-2)", observed: "var(--bar-hard)", alarm: "var(--bad)" };

export async function driftView(api, session, model) {
  const to = days.today(session.timeZone);
  const from = days.monday(to) - 7 * (WEEKS - 1);
  const query = { modelId: model.id, from: days.formatDay(from), to: days.formatDay(to) };
  const [{ data: daily }, { data: alarms }] = await Promise.all([api.get("/metrics", query), api.get("/metrics/alarms", query)]);
  const weeks = byWeek(daily, alarms);
  // A model that has not served for long needs no half year of empty paper.
  const start = Math.max(from, Math.min(weeks[0]?.monday ?? to, days.monday(to) - 7 * (FEWEST - 1)));
  return [
    alarms.length > 0 ? h("div", { class: "notice" }, h("ul", {}, alarms.map(alarmText))) : h("p", {}, badge("no alarm", "good"), ` Nothing says that anything has changed in the last ${WEEKS} weeks.`),
    weeks.some((week) => week.outcomes > 0) ? driftChart(weeks, start, to) : null,
    weekTable(weeks),
    h("p", { class: "note" }, "An answer comes true when the actual hours lie within 25 % of the estimate; its confidence says how often that is to be expected. Both are of answers whose outcome is known. The weeks are those of the questions; the lines through the points are 95 % ranges, wide where few outcomes are known. An alarm weighs the outcomes of a month together, once nearly all work that was decided with them has ended, and while nothing changes a month raises one with a chance of at most one in a hundred."),
  ];
}

function alarmText(alarm) {
  return h("li", {}, `${KINDS[alarm.kind] ?? format.words(alarm.kind)}, ${format.moment(alarm.raisedAt)}: ${alarm.message} `,
    h("span", { class: "note" }, `${format.count(alarm.observations)} observations, ${format.count(alarm.evidence)} times likelier if something has changed.`));
}

/** Days pooled by week: a day has few answers. What was said and what came are of the same outcomes. */
export function byWeek(daily, alarms = []) {
  const weeks = new Map();
  const week = (monday) => {
    if (!weeks.has(monday)) weeks.set(monday, { monday, answers: 0, said: 0, saidOf: 0, outcomes: 0, cameTrue: 0, held: 0, heldOf: 0, alarms: [] });
    return weeks.get(monday);
  };
  for (const day of daily) {
    const one = week(days.monday(days.parseDay(day.date)));
    one.answers += day.predictionsCount;
    if (isKnown(day.avgConfidence)) {
      one.said += day.avgConfidence * day.outcomesCount;
      one.saidOf += day.outcomesCount;
    }
    if (isKnown(day.avgAccuracy)) {
      one.outcomes += day.outcomesCount;
      one.cameTrue += (day.avgAccuracy / 100) * day.outcomesCount;
    }
    if (isKnown(day.coverage80)) {
      one.held += (day.coverage80 / 100) * day.outcomesCount;
      one.heldOf += day.outcomesCount;
    }
  }
  for (const alarm of alarms) week(days.monday(days.parseDay(alarm.raisedAt.slice(0, 10)))).alarms.push(alarm.kind);
  return [...weeks.values()].sort((one, other) => one.monday - other.monday);
}

const isKnown = (value) => value !== null && value !== undefined;
const said = (week) => (week.saidOf > 0 ? week.said / week.saidOf : null);
const observed = (week) => (week.outcomes > 0 ? (week.cameTrue / week.outcomes) * 100 : null);

/** The 95 % range of a share of few, in percent (Wilson's score interval, 1927). */
export function wilson(count, of) {
  const z = 1.959964;
  const share = count / of;
  const centre = (share + (z * z) / (2 * of)) / (1 + (z * z) / of);
  const half = ((z * Math.sqrt((share * (1 - share)) / of + (z * z) / (4 * of * of))) / (1 + (z * z) / of));
  return [Math.max(0, centre - half) * 100, Math.min(1, centre + half) * 100];
}

function driftChart(weeks, from, to) {
  const height = 240;
  return [sized((width) => {
    const x = scale(from, to, MARGIN.left + 8, width - MARGIN.right - 8);
    const y = scale(0, 100, height - MARGIN.bottom, MARGIN.top);
    const at = (week) => x(Math.min(to, week.monday + 3));
    const line = weeks.filter((week) => said(week) !== null);
    const count = Math.ceil((to - from + 1) / 7);
    const every = Math.max(1, Math.ceil(count / Math.max(2, Math.floor(width / 90))));
    const mondays = Array.from({ length: count }, (_, index) => from + 7 * index).filter((_, index) => index % every === 0);
    return drawing("Said confidence and what came true by week, in percent", width, height,
      [0, 25, 50, 75, 100].map((value) => [
        s("line", { class: value === 0 ? "zero" : "axis", x1: MARGIN.left, x2: width - MARGIN.right, y1: y(value), y2: y(value) }),
        s("text", { x: MARGIN.left - 8, y: y(value) + 4, "text-anchor": "end" }, value),
      ]),
      mondays.map((monday) => s("text", { x: x(monday + 3), y: height - 8, "text-anchor": "middle" }, format.shortDay(monday))),
      weeks.filter((week) => week.alarms.length > 0).map((week) => s("line", { x1: at(week), x2: at(week), y1: MARGIN.top, y2: height - MARGIN.bottom, style: { stroke: COLOURS.alarm }, "stroke-width": 2, "stroke-dasharray": "2 3" },
        s("title", {}, `Alarm: ${week.alarms.map((kind) => KINDS[kind] ?? kind).join(", ")}`))),
      s("polyline", { fill: "none", style: { stroke: COLOURS.said }, "stroke-width": 2, "stroke-dasharray": "5 4", points: line.map((week) => `${at(week).toFixed(1)},${y(said(week)).toFixed(1)}`).join(" ") }),
      line.map((week) => s("circle", { cx: at(week), cy: y(said(week)), r: 3, style: { fill: COLOURS.said } })),
      weeks.filter((week) => week.outcomes > 0).map((week) => {
        const [low, high] = wilson(week.cameTrue, week.outcomes);
        return [
          s("line", { x1: at(week), x2: at(week), y1: y(high), y2: y(low), style: { stroke: COLOURS.observed }, "stroke-width": 2, opacity: 0.55 }),
          s("circle", { cx: at(week), cy: y(observed(week)), r: 5, style: { fill: COLOURS.observed } },
            s("title", {}, `Week of ${format.day(week.monday)}: ${Math.round(observed(week))} % of ${week.outcomes} came true`)),
        ];
      }));
  }), legend([{ name: "Said (confidence)", colour: COLOURS.said }, { name: "Came true", colour: COLOURS.observed }, { name: "Alarm", colour: COLOURS.alarm }])];
}

function weekTable(weeks) {
  const range = (count, of) => {
    if (of === 0) return format.NOTHING;
    const [low, high] = wilson(count, of);
    return [format.percent((count / of) * 100), h("span", { class: "note" }, ` (${format.count(low)}–${format.count(high)})`)];
  };
  return table({
    label: "Service by week", rows: [...weeks].reverse(), empty: h("p", { class: "note" }, `No questions in the last ${WEEKS} weeks.`),
    columns: [
      { title: "Week of", kind: "date", cell: (week) => format.day(week.monday) },
      { title: "Answers", kind: "number", cell: (week) => format.count(week.answers) },
      { title: "Outcomes", kind: "number", cell: (week) => format.count(week.outcomes) },
      { title: "Said", kind: "number", cell: (week) => format.percent(said(week)) },
      { title: "Came true", kind: "number", cell: (week) => range(week.cameTrue, week.outcomes) },
      { title: "80 % ranges held", kind: "number", cell: (week) => range(week.held, week.heldOf) },
      { title: "Alarms", cell: (week) => h("div", { class: "badges" }, week.alarms.map((kind) => badge(KINDS[kind] ?? kind, "bad"))) },
    ],
  });
}
