// The board: people or projects down, time across, bookings as bars. Zoomed out it is a heat map of load.

import { append, debounce, h, replace } from "../lib/dom.js";
import * as days from "../lib/days.js";
import * as format from "../lib/format.js";
import { button, field, input, pageHead, segmented, select } from "../ui/controls.js";
import { comboField, combobox } from "../ui/combobox.js";
import { toast } from "../ui/dialog.js";
import { legend } from "../ui/chart.js";
import { BoardData } from "./board/data.js";
import { BoardGrid } from "./board/grid.js";
import { Edits } from "./board/edits.js";
import { LEVELS } from "./board/load.js";
import { viewsButton } from "./board/views.js";
import { bookingDialog, findProjects } from "./bookings.js";
import { LEVELS_OF_SKILL } from "./people.js";

/** Pixels a day, how many days a step of the window is, and how many it shows at least. */
const ZOOMS = { day: { width: 36, step: 7, span: 21 }, week: { width: 13, step: 28, span: 56 }, month: { width: 4.4, step: 91, span: 182 } };
/** What others change is seen after so long at the latest. */
const REFRESH = 60_000;

export default async function boardPage({ api, session, router, query, signal }) {
  const today = days.today(session.timeZone);
  const start = days.monday(today) - 7;
  const view = {
    kind: query.get("rows") === "projects" ? "projects" : "people", zoom: ZOOMS[query.get("zoom")] ? query.get("zoom") : "week",
    from: query.get("from") ? days.parseDay(query.get("from")) : start,
    text: query.get("text") ?? "", department: query.get("department") ?? "", skill: query.get("skill") ?? "", level: query.get("level") ?? "", project: query.get("project") ?? "",
  };
  if (Number.isNaN(view.from)) view.from = start;
  const mayEdit = session.can("update", "allocations");
  const mayBook = session.can("write", "allocations");
  const data = new BoardData({ api, signal, mayReport: session.can("read", "reports"), mayLeave: session.can("read", "leave") });
  const edits = new Edits(api, data);
  const grid = new BoardGrid({ data, edits, today, mayEdit, mayBook, onopen: open, onbook: book, signal });
  const title = h("p", { class: "board-title", "aria-live": "polite" });
  const undo = button("Undo", { icon: "undo", iconOnly: true, onclick: () => edits.undo(), disabled: true });
  const redo = button("Redo", { icon: "redo", iconOnly: true, onclick: () => edits.redo(), disabled: true });
  const key = h("div", { class: "board-key" });
  let isOpen = query.get("booking");

  const seen = () => ({ rows: view.kind === "people" ? null : view.kind, from: days.formatDay(view.from), zoom: view.zoom, text: view.text, department: view.department, skill: view.skill, level: view.level, project: view.project, booking: isOpen });
  const note = () => signal.aborted || router.note(seen());
  const said = (warnings) => toast(warnings?.length ? `Saved, with ${warnings.length} warning${warnings.length > 1 ? "s" : ""}.` : "Saved.", { action: { label: "Undo", run: () => edits.undo() } });

  async function open({ id }) {
    isOpen = id;
    note();
    try {
      const { data: booking, tag } = await api.get(`/allocations/${id}`);
      await bookingDialog({
        api, booking, tag, isReadOnly: !mayEdit,
        onsaved: (saved, warnings) => { edits.note(booking, saved); said(warnings); },
        oncopy: mayBook && ((copy) => book(copy)),
        oncancel: mayEdit && !booking.isCancelled && (async () => { if (await edits.remove(booking)) toast("The booking is cancelled.", { action: { label: "Undo", run: () => edits.undo() } }); }),
      });
    } catch (error) {
      toast(error.message, { tone: "bad" });
    }
    isOpen = null;
    note();
  }
  function book(preset) {
    return bookingDialog({ api, preset, onsaved: (saved, warnings) => { edits.note(null, saved); said(warnings); } });
  }

  function show({ reload = false } = {}) {
    const { width, span } = ZOOMS[view.zoom];
    if (reload) data.load(view).catch((error) => signal.aborted || toast(error.message, { tone: "bad" }));
    const to = view.from + Math.max(span, grid.daysInView(width)) - 1;
    note();
    replace(title, `${format.day(view.from)} – ${format.day(to)}`);
    const isHeat = view.zoom === "month" && view.kind === "people";
    replace(key, legend(isHeat ? LEVELS.map(([name, level]) => ({ name, kind: `heat-${level}` })) : [
      { name: "Hard booking", kind: "hard" }, { name: "Soft booking", kind: "soft" }, { name: "Completed", kind: "done" },
      ...(view.kind === "people" ? [{ name: "Leave", kind: "leave" }, { name: "No working time", kind: "off" }, { name: "Over-booked", kind: "over" }] : []),
    ]));
    grid.show({ from: view.from, to, width, zoom: view.zoom });
  }
  const step = (direction) => { view.from += direction * ZOOMS[view.zoom].step; show(); };
  const filter = debounce(() => { grid.element.scrollTop = 0; show({ reload: true }); }, 300);

  const text = input({ type: "search", value: view.text, placeholder: "Any", oninput: () => { view.text = text.value.trim(); filter(); } });
  const department = names("departments", "All", view.department, (name) => { view.department = name; filter(); });
  const skill = names("skills", "Any", view.skill, (name) => { view.skill = name; filter(); });
  const project = combobox({ placeholder: "Any", find: findProjects(api), chosen: view.project ? { id: view.project, label: "…" } : null, onchoose: (item) => { view.project = item?.id ?? ""; filter(); } });
  if (view.project) api.get(`/projects/${view.project}`).then(({ data: one }) => project.setChoice({ id: one.id, label: one.name }), () => {});
  const level = select(LEVELS_OF_SKILL, view.level, { onchange: () => { view.level = level.value; filter(); } });
  const ofPeople = [field("Department", department), field("Level", level)];
  const turn = (kind) => {
    view.kind = kind;
    for (const one of ofPeople) one.hidden = kind !== "people";
    filter();
  };
  for (const one of ofPeople) one.hidden = view.kind !== "people";

  /** A choice among names that are fetched while the rows are. */
  function names(kind, none, chosen, onchoose) {
    const control = select([["", none], ...(chosen ? [[chosen, chosen]] : [])], chosen, { onchange: () => onchoose(control.value) });
    const fill = (all) => append(control, all.filter((one) => one.name !== chosen).map((one) => h("option", { value: one.name }, one.name)));
    if (session.can("read", kind)) api.all(`/${kind}`, {}, { signal }).then(fill, () => {});
    return control;
  }

  edits.addEventListener("change", () => { undo.disabled = !edits.canUndo; redo.disabled = !edits.canRedo; });
  edits.addEventListener("fail", (event) => toast(event.detail.message, { tone: "bad" }));
  data.addEventListener("change", () => grid.draw());
  const refresh = () => document.hidden || grid.drag.isDragging || data.forgetAll();
  const timer = setInterval(refresh, REFRESH);
  signal.addEventListener("abort", () => clearInterval(timer));
  document.addEventListener("visibilitychange", refresh, { signal });
  addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z" || /input|textarea|select/i.test(event.target.tagName) || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    if (event.shiftKey) edits.redo(); else edits.undo();
  }, { signal });
  // The grid learns its size once it stands on the page, and anew whenever the window changes.
  let width = 0;
  const sizes = new ResizeObserver(() => {
    const { clientWidth } = grid.element;
    if (clientWidth === width) return grid.resized();
    const isFirst = width === 0;
    width = clientWidth;
    requestAnimationFrame(() => signal.aborted || show({ reload: isFirst }));
    if (isFirst && isOpen) open({ id: isOpen });
  });
  sizes.observe(grid.element);
  signal.addEventListener("abort", () => sizes.disconnect());

  const filters = h("div", { class: "filters board-filters" },
    segmented("Rows", [["people", "People"], ["projects", "Projects"]], view.kind, turn),
    field("Name", text), ofPeople[0], field("Skill", skill), ofPeople[1], comboField("Project", project),
    segmented("Zoom", [["day", "Days"], ["week", "Weeks"], ["month", "Months"]], view.zoom, (zoom) => { view.zoom = zoom; show(); }));
  // On narrow screens the filters make room for the rows until they are wanted.
  const more = button("Filters", { icon: "search", onclick: () => more.setAttribute("aria-expanded", String(filters.classList.toggle("board-filters-open"))) });
  more.classList.add("board-more");
  more.setAttribute("aria-expanded", "false");
  return [
    pageHead("Board", { actions: [
      mayEdit && [undo, redo], viewsButton({ session, router, seen }),
      mayBook && button("Book somebody", { kind: "primary", icon: "plus", onclick: () => book({ startDate: days.formatDay(today) }) }),
    ] }),
    filters,
    h("div", { class: "board-line" },
      h("div", { class: "actions" }, button("Earlier", { icon: "left", iconOnly: true, onclick: () => step(-1) }),
        button("Today", { onclick: () => { view.from = start; show(); } }), button("Later", { icon: "right", iconOnly: true, onclick: () => step(1) }), more, title), key),
    grid.element,
    mayEdit && h("p", { class: "note board-help" }, "Drag a bar to move it, with Alt to copy it; double-click a row to book. Keys: arrows move, Shift resizes, Alt ↑ ↓ changes the row, C copies, Delete cancels."),
  ];
}
