// Projects: search and a list; each has a page.

import { debounce, h, replace } from "../lib/dom.js";
import * as format from "../lib/format.js";
import { linesOf } from "../lib/lines.js";
import { link } from "../lib/router.js";
import { badge, button, empty, field, input, pageHead, select } from "../ui/controls.js";
import { formDialog } from "../ui/dialog.js";
import { pagedTable } from "../ui/table.js";

export const STATUSES = [["planned", "Planned"], ["in_progress", "In progress"], ["on_hold", "On hold"], ["completed", "Completed"], ["cancelled", "Cancelled"]];
const TONES = { in_progress: "info", completed: "good", on_hold: "warn", cancelled: "bad" };
export const projectBadge = (status) => badge(format.words(status), TONES[status] ?? "plain");

export default function projectsPage({ api, session, router, query }) {
  const place = h("div");
  const name = field("Name", input({ type: "search", value: query.get("name") ?? "" }));
  const status = field("Status", select([["", "Any"], ...STATUSES], query.get("status") ?? ""));
  const show = () => {
    const filter = { name: name.control.value.trim(), status: status.control.value };
    router.note(filter);
    replace(place, pagedTable({
      api, path: "/projects", query: filter, label: "Projects", empty: empty("No project found", "Change the filter, add a project, or import a file."),
      columns: [
        { title: "Project", cell: (project) => h("a", { href: link(`projects/${project.id}`) }, project.name) },
        { title: "Id", cell: (project) => project.externalId },
        { title: "Status", cell: (project) => projectBadge(project.status) },
        { title: "Done", kind: "number", cell: (project) => format.percent(project.completionPercentage) },
        { title: "Begins", kind: "date", cell: (project) => format.day(project.startDate) },
        { title: "Ends", kind: "date", cell: (project) => format.day(project.endDate ?? project.estimatedEndDate) },
        { title: "Skills", kind: "wide", cell: (project) => h("div", { class: "badges" }, project.requiredSkills.map((skill) => badge(skill))) },
      ],
    }));
  };
  name.control.addEventListener("input", debounce(show, 300));
  status.control.addEventListener("change", show);
  show();
  return [
    pageHead("Projects", { actions: [session.can("write", "projects") && button("Add a project", { kind: "primary", icon: "plus", onclick: () => editProject(api, null, (project) => router.go(`projects/${project.id}`)) })] }),
    h("div", { class: "filters" }, name, status), place,
  ];
}

export async function editProject(api, project, done, tag) {
  const value = (key) => project?.[key] ?? "";
  const skills = (project?.requiredSkills ?? []).join("\n");
  const id = field("Id", input({ name: "externalId", value: value("externalId") }), { hint: "As other systems call the project" });
  const fields = [
    field("Name", input({ name: "name", value: value("name") })), id,
    field("Status", select(STATUSES, project?.status ?? "planned", { name: "status" })),
    field("Begins", input({ name: "startDate", type: "date", value: value("startDate") })),
    field("Ends as estimated", input({ name: "estimatedEndDate", type: "date", value: value("estimatedEndDate") })),
    field("Ended", input({ name: "endDate", type: "date", value: value("endDate") })),
    field("Done (%)", input({ name: "completionPercentage", type: "number", min: 0, max: 100, value: value("completionPercentage") })),
    field("Skills", h("textarea", { class: "input", name: "requiredSkills", rows: 3 }, skills), { hint: "One a line" }),
  ];
  await formDialog({
    title: project ? `Edit ${project.name}` : "Add a project", fields: [fields[0], id, fields[2], h("div", { class: "form-row" }, fields.slice(3, 7)), fields[7]],
    submit: async (_, once) => {
      const body = {};
      for (const { control } of fields) {
        if (control.name === "requiredSkills" && control.value === skills) continue;
        if (control.name === "requiredSkills") body.requiredSkills = linesOf(control.value);
        else if (control.type === "number") body[control.name] = control.value === "" ? null : Number(control.value);
        else body[control.name] = control.value === "" && control.type === "date" ? null : control.value;
      }
      const { data, warnings } = project ? await api.patch(`/projects/${project.id}`, body, { tag }) : await api.post("/projects", body, { once: once(body) });
      done(data, warnings);
    },
  });
}
