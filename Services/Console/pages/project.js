// One project: what it is, who works on it, and what it still takes.

import { h } from "../lib/dom.js";
import * as format from "../lib/format.js";
import { link } from "../lib/router.js";
import { badge, button, card, empty, facts, linkButton, pageHead, wide } from "../ui/controls.js";
import { confirmDialog } from "../ui/dialog.js";
import { pagedTable } from "../ui/table.js";
import { historyOf } from "./administration/audit.js";
import { bookingColumns, saySaved } from "./bookings.js";
import { editProject, projectBadge } from "./projects.js";

export default async function projectPage({ api, session, router, parameters, reload }) {
  const { data: project, tag } = await api.get(`/projects/${parameters.id}`);
  return [
    pageHead(project.name, {
      note: project.externalId, back: { href: "#/projects", label: "Projects" },
      actions: [
        session.can("read", "allocations") && linkButton("On the board", link("board", { rows: "projects", project: project.id }), { icon: "board" }),
        session.can("predict", "ml") && linkButton("Ask about somebody", link("ask", { project: project.id }), { icon: "ask" }),
        session.can("update", "projects") && button("Edit", { icon: "edit", onclick: () => editProject(api, project, (_, warnings) => { saySaved(warnings); reload(); }, tag) }),
        session.can("delete", "projects") && button("Delete", { icon: "remove", onclick: async () => {
          if (await confirmDialog(`Delete ${project.name}`, "A project can be deleted only while no booking refers to it.", "Delete", () => api.delete(`/projects/${project.id}`, { tag }))) router.go("projects");
        } }),
      ],
    }),
    h("div", { class: "cards" },
      card("Project", facts([
        ["Status", projectBadge(project.status)], ["Done", format.percent(project.completionPercentage)],
        ["Begins", format.day(project.startDate)], ["Ends as estimated", format.day(project.estimatedEndDate)], ["Ended", format.day(project.endDate)],
        ["Skills", h("div", { class: "badges" }, project.requiredSkills.map((skill) => badge(project.leastLevels?.[skill] ? `${skill} ≥ ${project.leastLevels[skill]}` : skill)))],
      ])),
      session.can("read", "allocations") && wide(card("Bookings", pagedTable({
        api, path: "/allocations", query: { projectId: project.id }, label: `Bookings of ${project.name}`, empty: empty("Nobody is booked", "Book somebody on the board."),
        columns: bookingColumns(api, { person: true, session, reload }),
      }))),
      session.can("read", "audit") && wide(card("History", historyOf(api, session, "project", project.id)))),
  ];
}
