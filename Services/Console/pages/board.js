// The board: people down, time across, bookings as bars. Zoomed out it is a heat map of load.

import { debounce, h, replace } from "../lib/dom.js";
import * as days from "../lib/days.js";
import * as format from "../lib/format.js";
import { button, field, input, pageHead, segmented, select } from "../ui/controls.js";
import { combobox } from "../ui/combobox.js";
import { toast } from "../ui/dialog.js";
import { legend } from "../ui/chart.js";
import { BoardData } from "./board/data.js";
import { BoardGrid } from "./board/grid.js";
import { Edits } from "./board/edits.js";
import { bookingDialog, findProjects } from "./bookings.js";

/** Pixels a day, and how many days a step of the window is. */
const ZOOMS = { day: { width: 36, step: 7, span: 28 }, week: { width: 13, step: 28, span: 91 }, month: { width: 4.4, step: 91, span: 273 } };

export default async function boardPage({ api, session, router, query, signal }) {
  const zone = await timeZone(api, session);
  const today = days.today(zone);
  const view = {
    zoom: ZOOMS[query.get("zoom")] ? query.get("zoom") : "week",
    from: query.get("from") ? days.parseDay(query.get("from")) : days.monday(today) - 7,
    text: query.get("text") ?? "", department: query.get("department") ?? "", skill: query.get("skill") ?? "", project: query.get("project") ?? "",
  };
  const data = new BoardData(api, signal);
  const edits = new Edits(api, data, session.can("update", "allocations"));
  const mayBook = session.can("write", "allocations");
  const grid = new BoardGrid({ data, edits, today, mayEdit: session.can("update", "allocations"), mayBook, onopen: open, onbook: book });
  const title = h("p", { class: "board-title", "aria-live": "polite" });

  function open(booking) {
    bookingDialogOf(booking);
  }
  async function bookingDialogOf(booking) {
    const { data: fresh, tag } = await api.get(`/allocations/${booking.id}`);
    await bookingDialog({ api, booking: fresh, tag, onsaved: (saved, warnings) => { edits.note(fresh, saved); said(warnings); } });
  }
  function book(preset) {
    bookingDialog({ api, preset, onsaved: (saved, warnings) => { edits.noteNew(saved); said(warnings); } });
  }
  const said = (warnings) => toast(warnings?.length ? `Saved, with ${warnings.length} warning${warnings.length > 1 ? "s" : ""}.` : "Saved.", { action: { label: "Undo", run: () => edits.undo() } });

  function show({ reload = false } = {}) {
    const { width, span } = ZOOMS[view.zoom];
    const room = Math.max(span, Math.ceil((grid.element.clientWidth || innerWidth - 260) / width));
    const to = view.from + room - 1;
    router.note({ from: days.formatDay(view.from), zoom: view.zoom, text: view.text, department: view.department, skill: view.skill, project: view.project });
    replace(title, `${format.day(view.from)} – ${format.day(to)}`);
    grid.show({ from: view.from, to, width, zoom: view.zoom });
    if (reload) data.loadPeople(view).then(() => grid.draw(), (error) => !signal.aborted && toast(error.message, { tone: "bad" }));
  }
  const step = (direction) => { view.from += direction * ZOOMS[view.zoom].step; show(); };
  const filter = debounce(() => show({ reload: true }), 300);
  const text = input({ type: "search", value: view.text, oninput: () => { view.text = text.value.trim(); filter(); } });
  const departments = session.can("read", "departments") ? await api.all("/departments") : [];
  const skills = session.can("read", "skills") ? await api.all("/skills") : [];
  const department = select([["", "All"], ...departments.map((one) => [one.name, one.name])], view.department, { onchange: () => { view.department = department.value; filter(); } });
  const skill = select([["", "Any"], ...skills.map((one) => [one.name, one.name])], view.skill, { onchange: () => { view.skill = skill.value; filter(); } });
  const projectBox = combobox({ placeholder: "Any", find: findProjects(api), chosen: view.project ? { id: view.project, label: "…" } : null, onchoose: (item) => { view.project = item?.id ?? ""; filter(); } });
  if (view.project) api.get(`/projects/${view.project}`).then(({ data: one }) => projectBox.setChoice({ id: one.id, label: one.name }), () => {});
  const projectField = field("Project", projectBox.control);
  projectField.insertBefore(projectBox, projectField.children[1]);

  edits.addEventListener("change", () => grid.draw());
  edits.addEventListener("fail", (event) => toast(event.detail.message, { tone: "bad" }));
  data.addEventListener("change", () => grid.draw());
  addEventListener("resize", debounce(() => show(), 150), { signal });
  addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z" || /input|textarea|select/i.test(event.target.tagName)) return;
    event.preventDefault();
    if (event.shiftKey) edits.redo(); else edits.undo();
  }, { signal });
  queueMicrotask(() => show({ reload: true }));

  return [
    pageHead("Board", { actions: [
      button("Undo", { icon: "undo", iconOnly: true, onclick: () => edits.undo() }), button("Redo", { icon: "redo", iconOnly: true, onclick: () => edits.redo() }),
      mayBook && button("Book somebody", { kind: "primary", icon: "plus", onclick: () => book({ startDate: days.formatDay(today) }) }),
    ] }),
    h("div", { class: "filters board-filters" },
      field("Name", text), field("Department", department), field("Skill", skill), projectField,
      h("div", { class: "board-time" }, button("Earlier", { icon: "left", iconOnly: true, onclick: () => step(-1) }),
        button("Today", { onclick: () => { view.from = days.monday(today) - 7; show(); } }), button("Later", { icon: "right", iconOnly: true, onclick: () => step(1) }),
        segmented("Zoom", [["day", "Days"], ["week", "Weeks"], ["month", "Months"]], view.zoom, (zoom) => { view.zoom = zoom; show(); }))),
    title, grid.element,
    legend([{ name: "Hard booking", colour: "var(--bar-hard)" }, { name: "Soft booking", colour: "var(--bar-soft)" }, { name: "Leave", colour: "var(--leave)" }, { name: "Over capacity", colour: "var(--load-over)" }]),
  ];
}

async function timeZone(api, session) {
  if (!session.can("read", "settings")) return "UTC";
  try {
    const { data } = await api.get("/settings");
    return (data.settings ?? data).timezone ?? "UTC";
  } catch { return "UTC"; }
}

