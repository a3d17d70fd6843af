// Charts as SVG: lines, stacked bars and a reliability plot. Each has a name that is read out, and stands beside its table.

import { h, replace, s, uniqueId } from "../lib/dom.js";

const MARGIN = { left: 48, right: 12, top: 12, bottom: 28 };

/** Draws with the width that there is, and again when that changes, so that text keeps its size. */
export function sized(draw) {
  const place = h("div", { class: "chart-place" });
  let drawn = 0;
  new ResizeObserver(([entry]) => {
    const width = Math.floor(entry.contentRect.width);
    if (width === 0 || width === drawn) return;
    drawn = width;
    requestAnimationFrame(() => replace(place, draw(width)));
  }).observe(place);
  return place;
}

/** An empty drawing with its name. */
export function drawing(label, width, height, ...content) {
  const title = uniqueId("chart");
  return s("svg", { class: "chart", viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-labelledby": title }, s("title", { id: title }, label), content);
}

/** Round values between the ends, at most about `count` of them. */
export function ticks(low, high, count = 5) {
  const span = high - low || 1;
  const power = 10 ** Math.floor(Math.log10(span / count));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => span / size <= count) ?? power * 10;
  const found = [];
  for (let value = Math.ceil(low / step) * step; value <= high + step * 1e-6; value += step) found.push(Number(value.toPrecision(12)));
  return found;
}

export const scale = (low, high, start, end) => (value) => start + ((value - low) / (high - low || 1)) * (end - start);

function frame({ label, width, height, values, y, format }, ...content) {
  return drawing(label, width, height, values.map((value) => [
    s("line", { class: value === 0 ? "zero" : "axis", x1: MARGIN.left, x2: width - MARGIN.right, y1: y(value), y2: y(value) }),
    s("text", { x: MARGIN.left - 8, y: y(value) + 4, "text-anchor": "end" }, format(value)),
  ]), content);
}

/** Lines over a common x: `series` is `[{name, colour, dashed, points: [[x, y]]}]`. */
export function lineChart({ label, series, height = 260, xFormat = String, yFormat = String, zero = false }) {
  const points = series.flatMap((line) => line.points);
  if (points.length === 0) return null;
  const xs = points.map(([x]) => x);
  const ys = points.map(([, value]) => value);
  const [left, right] = [Math.min(...xs), Math.max(...xs)];
  const low = zero ? Math.min(0, ...ys) : Math.min(...ys);
  const high = Math.max(...ys);
  return [sized((width) => {
    const x = scale(left, right, MARGIN.left, width - MARGIN.right);
    const y = scale(low, high, height - MARGIN.bottom, MARGIN.top);
    return frame({ label, width, height, values: ticks(low, high), y, format: yFormat },
      ticks(left, right, Math.max(2, Math.floor(width / 90))).map((value) => s("text", { x: x(value), y: height - 8, "text-anchor": "middle" }, xFormat(value))),
      series.map((line) => s("polyline", {
        fill: "none", style: { stroke: line.colour }, "stroke-width": 2, "stroke-dasharray": line.dashed ? "5 4" : null, "stroke-linejoin": "round",
        points: line.points.map(([px, py]) => `${x(px).toFixed(1)},${y(py).toFixed(1)}`).join(" "),
      })));
  }), legend(series)];
}

/** Stacked bars: `bars` is `[{label, parts: [value], mark}]`; `mark` is drawn as a line, such as the capacity. */
export function barChart({ label, bars, parts, height = 280, yFormat = String, markName }) {
  if (bars.length === 0) return null;
  const high = Math.max(1, ...bars.map((bar) => Math.max(bar.mark ?? 0, bar.parts.reduce((sum, value) => sum + (value ?? 0), 0)))) * 1.03;
  return [sized((width) => {
    const y = scale(0, high, height - MARGIN.bottom, MARGIN.top);
    const step = (width - MARGIN.left - MARGIN.right) / bars.length;
    const thick = Math.min(46, step * 0.7);
    const every = Math.max(1, Math.ceil(bars.length / Math.max(2, Math.floor(width / 84))));
    return frame({ label, width, height, values: ticks(0, high), y, format: yFormat }, bars.map((bar, index) => {
      const centre = MARGIN.left + step * (index + 0.5);
      let base = 0;
      return [
        bar.parts.map((value, part) => {
          const from = base;
          base += value ?? 0;
          return value > 0 && s("rect", {
            x: centre - thick / 2, width: thick, y: y(base), height: Math.max(0, y(from) - y(base)), style: { fill: parts[part].colour },
          }, s("title", {}, `${bar.label}: ${parts[part].name} ${yFormat(value)}`));
        }),
        bar.mark > 0 && s("line", { class: "mark", x1: centre - thick / 2 - 3, x2: centre + thick / 2 + 3, y1: y(bar.mark), y2: y(bar.mark) }, s("title", {}, `${bar.label}: ${markName} ${yFormat(bar.mark)}`)),
        index % every === 0 && s("text", { x: centre, y: height - 8, "text-anchor": "middle" }, bar.label),
      ];
    }));
  }), legend([...parts, ...(markName ? [{ name: markName, colour: "var(--ink)" }] : [])])];
}

/** Said against observed: points on the diagonal keep their word; `points` is `[{said, observed, count}]`, shares 0…1. */
export function reliabilityChart({ label, points }) {
  const most = Math.max(1, ...points.map((point) => point.count));
  return sized((room) => {
    const size = Math.min(360, room);
    const at = scale(0, 1, 40, size - 14);
    const up = scale(0, 1, size - 32, 14);
    return drawing(label, size, size,
      [0, 0.25, 0.5, 0.75, 1].map((value) => [
        s("line", { class: "axis", x1: at(0), x2: at(1), y1: up(value), y2: up(value) }),
        s("text", { x: 32, y: up(value) + 4, "text-anchor": "end" }, Math.round(value * 100)),
        s("text", { x: at(value), y: size - 12, "text-anchor": "middle" }, Math.round(value * 100)),
      ]),
      s("line", { class: "zero", "stroke-dasharray": "4 4", x1: at(0), y1: up(0), x2: at(1), y2: up(1) }),
      points.map((point) => s("circle", { cx: at(point.said), cy: up(point.observed), r: 3 + 7 * Math.sqrt(point.count / most), style: { fill: "var(--bar-hard)", opacity: 0.8 } },
        s("title", {}, `said ${Math.round(point.said * 100)} %, observed ${Math.round(point.observed * 100)} % of ${point.count}`))));
  });
}

export function legend(entries) {
  return h("ul", { class: "legend" }, entries.map((entry) => h("li", {},
    h("span", { class: ["swatch", entry.kind && `swatch-${entry.kind}`], style: entry.colour ? { background: entry.colour } : {} }), entry.name)));
}
