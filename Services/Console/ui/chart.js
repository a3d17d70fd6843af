// Charts as SVG: lines, stacked bars and a reliability plot. Each has a name that is read out, and stands beside its table.

import { h, s, uniqueId } from "../lib/dom.js";

const WIDTH = 640;
const MARGIN = { left: 44, right: 12, top: 12, bottom: 26 };

/** Round values between the ends, at most about `count` of them. */
export function ticks(low, high, count = 5) {
  const span = high - low || 1;
  const power = 10 ** Math.floor(Math.log10(span / count));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => span / size <= count) ?? power * 10;
  const found = [];
  for (let value = Math.ceil(low / step) * step; value <= high + step * 1e-6; value += step) found.push(Number(value.toPrecision(12)));
  return found;
}

function frame(label, height, yTicks, y, yFormat, content) {
  const title = uniqueId("chart");
  return s("svg", { class: "chart", viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-labelledby": title },
    s("title", { id: title }, label),
    yTicks.map((value) => [
      s("line", { class: value === 0 ? "zero" : "axis", x1: MARGIN.left, x2: WIDTH - MARGIN.right, y1: y(value), y2: y(value) }),
      s("text", { x: MARGIN.left - 6, y: y(value) + 4, "text-anchor": "end" }, yFormat(value)),
    ]), content);
}

const scale = (low, high, start, end) => (value) => start + ((value - low) / (high - low || 1)) * (end - start);

/** Lines over a common x: `series` is `[{name, colour, dashed, points: [[x, y]]}]`. */
export function lineChart({ label, series, height = 240, xFormat = String, yFormat = String, zero = false }) {
  const points = series.flatMap((line) => line.points);
  if (points.length === 0) return null;
  const xs = points.map(([x]) => x);
  const ys = points.map(([, value]) => value);
  const [left, right] = [Math.min(...xs), Math.max(...xs)];
  const low = zero ? Math.min(0, ...ys) : Math.min(...ys);
  const high = Math.max(...ys);
  const x = scale(left, right, MARGIN.left, WIDTH - MARGIN.right);
  const y = scale(low, high, height - MARGIN.bottom, MARGIN.top);
  return [frame(label, height, ticks(low, high), y, yFormat, [
    ticks(left, right, 7).map((value) => s("text", { x: x(value), y: height - 8, "text-anchor": "middle" }, xFormat(value))),
    series.map((line) => s("polyline", {
      fill: "none", style: { stroke: line.colour }, "stroke-width": 2, "stroke-dasharray": line.dashed ? "5 4" : null,
      points: line.points.map(([px, py]) => `${x(px).toFixed(1)},${y(py).toFixed(1)}`).join(" "),
    })),
  ]), legend(series)];
}

/** Stacked bars: `bars` is `[{label, parts: [value], mark}]`; `mark` is drawn as a line, such as the capacity. */
export function barChart({ label, bars, parts, height = 260, yFormat = String, markName }) {
  if (bars.length === 0) return null;
  const high = Math.max(1, ...bars.map((bar) => Math.max(bar.mark ?? 0, bar.parts.reduce((sum, value) => sum + (value ?? 0), 0))));
  const y = scale(0, high, height - MARGIN.bottom, MARGIN.top);
  const step = (WIDTH - MARGIN.left - MARGIN.right) / bars.length;
  const width = Math.min(46, step * 0.7);
  const every = Math.ceil(bars.length / 12);
  return [frame(label, height, ticks(0, high), y, yFormat, bars.map((bar, index) => {
    const centre = MARGIN.left + step * (index + 0.5);
    let base = 0;
    return [
      bar.parts.map((value, part) => {
        const from = base;
        base += value ?? 0;
        return value > 0 && s("rect", {
          x: centre - width / 2, width, y: y(base), height: Math.max(0, y(from) - y(base)), style: { fill: parts[part].colour },
        }, s("title", {}, `${bar.label}: ${parts[part].name} ${yFormat(value)}`));
      }),
      bar.mark !== undefined && bar.mark !== null && s("line", { x1: centre - width / 2 - 4, x2: centre + width / 2 + 4, y1: y(bar.mark), y2: y(bar.mark), style: { stroke: "var(--ink)" }, "stroke-width": 2 }),
      index % every === 0 && s("text", { x: centre, y: height - 8, "text-anchor": "middle" }, bar.label),
    ];
  })), legend([...parts, ...(markName ? [{ name: markName, colour: "var(--ink)" }] : [])])];
}

/** Said against observed: points on the diagonal keep their word; `points` is `[{said, observed, count}]`, shares 0…1. */
export function reliabilityChart({ label, points }) {
  const size = 300;
  const at = scale(0, 1, 36, size - 12);
  const up = scale(0, 1, size - 28, 12);
  const title = uniqueId("chart");
  const most = Math.max(1, ...points.map((point) => point.count));
  return s("svg", { class: "chart", viewBox: `0 0 ${size} ${size}`, role: "img", "aria-labelledby": title, style: { "max-width": "360px" } },
    s("title", { id: title }, label),
    [0, 0.25, 0.5, 0.75, 1].map((value) => [
      s("line", { class: "axis", x1: at(0), x2: at(1), y1: up(value), y2: up(value) }),
      s("text", { x: 30, y: up(value) + 4, "text-anchor": "end" }, Math.round(value * 100)),
      s("text", { x: at(value), y: size - 10, "text-anchor": "middle" }, Math.round(value * 100)),
    ]),
    s("line", { class: "zero", "stroke-dasharray": "4 4", x1: at(0), y1: up(0), x2: at(1), y2: up(1) }),
    points.map((point) => s("circle", { cx: at(point.said), cy: up(point.observed), r: 3 + 7 * Math.sqrt(point.count / most), style: { fill: "var(--bar-hard)", opacity: 0.8 } },
      s("title", {}, `said ${Math.round(point.said * 100)} %, observed ${Math.round(point.observed * 100)} % of ${point.count}`))));
}

export function legend(entries) {
  return h("ul", { class: "legend" }, entries.map((entry) => h("li", {}, h("span", { class: "swatch", style: { background: entry.colour } }), entry.name)));
}
