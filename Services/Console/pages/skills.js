// The tenant's skills and departments: the words that people and projects share.

import { h } from "../lib/dom.js";
import { actionCard, button, empty, field, input, pageHead } from "../ui/controls.js";
import { confirmDialog, formDialog } from "../ui/dialog.js";
import { pagedTable } from "../ui/table.js";

const KINDS = {
  skills: { one: "skill", second: ["Category", "category"] },
  departments: { one: "department", second: ["Description", "description"] },
};

export default function skillsPage(context) {
  return [
    pageHead("Skills and departments", { note: "Renaming one renames it everywhere." }),
    h("div", { class: "halves" }, Object.keys(KINDS).filter((kind) => context.session.can("read", kind)).map((kind) => section(kind, context))),
  ];
}

function section(kind, { api, session, reload }) {
  const { one, second } = KINDS[kind];
  const add = session.can("write", kind) && button(`Add a ${one}`, { icon: "plus", onclick: () => edit(api, kind, null, reload) });
  return actionCard(kind === "skills" ? "Skills" : "Departments", add, pagedTable({
    api, path: `/${kind}`, label: kind === "skills" ? "Skills" : "Departments", empty: empty(`No ${one} yet`, "Add one here, or import a file."),
    columns: [
      { title: "Name", cell: (row) => row.name },
      { title: second[0], cell: (row) => row[second[1]] ?? "–" },
      { title: "", kind: "actions", cell: (row) => h("div", { class: "row-actions" },
        session.can("update", kind) && button(`Edit ${row.name}`, { icon: "edit", iconOnly: true, kind: "quiet", onclick: () => edit(api, kind, row, reload) }),
        session.can("delete", kind) && button(`Delete ${row.name}`, { icon: "remove", iconOnly: true, kind: "quiet", onclick: async () => {
          if (await confirmDialog(`Delete ${row.name}`, `The ${one} can be deleted only while nothing uses it.`, "Delete", () => api.delete(`/${kind}/${row.id}`))) reload();
        } })) },
    ],
  }));
}

async function edit(api, kind, row, done) {
  const { one, second } = KINDS[kind];
  const { data: known, tag } = row ? await api.get(`/${kind}/${row.id}`) : { data: null, tag: null };
  const name = field("Name", input({ name: "name", value: known?.name ?? "" }));
  const text = known?.[second[1]] ?? "";
  // A description may have several lines, which a line of input would join.
  const more = field(second[0], kind === "departments" ? h("textarea", { class: "input", name: second[1], rows: 4, maxlength: 2000 }, text) : input({ name: second[1], value: text }));
  await formDialog({
    title: row ? `Edit ${row.name}` : `Add a ${one}`, fields: [name, more],
    submit: async (_, once) => {
      const body = { name: name.control.value, [second[1]]: more.control.value || null };
      if (row) await api.patch(`/${kind}/${row.id}`, body, { tag });
      else await api.post(`/${kind}`, body, { once: once(body) });
      done();
    },
  });
}
