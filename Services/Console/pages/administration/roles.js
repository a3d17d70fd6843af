// Roles as a matrix: what each may do to what.

import { h } from "../../lib/dom.js";
import * as format from "../../lib/format.js";
import { badge, button, card, field, input } from "../../ui/controls.js";
import { confirmDialog, formDialog } from "../../ui/dialog.js";

const RESOURCES = ["employees", "projects", "allocations", "capacity", "departments", "skills", "calendars", "leave", "imports", "reports", "ml", "users", "roles", "settings", "audit", "usage", "api_keys", "self"];
const ACTIONS = ["read", "write", "update", "delete", "predict", "feedback", "train", "deploy"];
const ML_ONLY = new Set(["predict", "feedback", "train", "deploy"]);

export async function rolesPart({ api, session, reload }) {
  const roles = await api.all("/roles");
  const mayUpdate = session.can("update", "roles");
  return [
    session.can("write", "roles") && h("div", { class: "actions" }, button("Add a role", { icon: "plus", kind: "primary", onclick: () => edit(api, null, reload) })),
    roles.map((role) => card(null,
      h("div", { class: "page-head" }, h("h2", {}, role.name, " ", role.isBuiltin && badge("built in")), h("div", { class: "actions" },
        mayUpdate && !role.isBuiltin && button("Edit", { icon: "edit", onclick: () => edit(api, role, reload) }),
        session.can("delete", "roles") && !role.isBuiltin && button("Delete", { icon: "remove", onclick: async () => {
          if (await confirmDialog(`Delete the role ${role.name}`, "Users who hold the role lose what the role grants.", "Delete", () => api.delete(`/roles/${role.id}`))) reload();
        } }))),
      matrix(role.permissions))),
  ];
}

const grants = (permissions, resource, action) => permissions.some((grant) =>
  (grant.resource === "*" || grant.resource === resource) && (grant.actions.includes("*") || grant.actions.includes(action)));

const fits = (resource, action) => !ML_ONLY.has(action) || resource === "ml";

function matrix(permissions, boxes) {
  return h("div", { class: "table-frame", role: "region", "aria-label": "What the role grants", tabindex: "0" }, h("table", { class: "matrix" },
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Resource"), ACTIONS.map((action) => h("th", { scope: "col" }, format.words(action))))),
    h("tbody", {}, RESOURCES.map((resource) => h("tr", {}, h("th", { scope: "row" }, format.words(resource)), ACTIONS.map((action) => {
      if (!fits(resource, action)) return h("td");
      const held = grants(permissions, resource, action);
      if (!boxes) return h("td", {}, held ? h("span", { class: "granted", role: "img", "aria-label": "granted" }, "✓") : null);
      const box = h("input", { type: "checkbox", "aria-label": `${format.words(action)} ${format.words(resource)}` });
      box.checked = held;
      boxes.push({ resource, action, box });
      return h("td", {}, box);
    }))))));
}

async function edit(api, role, reload) {
  const tag = role ? (await api.get(`/roles/${role.id}`)).tag : null;
  const name = field("Name", input({ name: "name", value: role?.name ?? "" }));
  const boxes = [];
  const grid = matrix(role?.permissions ?? [], boxes);
  await formDialog({
    title: role ? `Edit ${role.name}` : "Add a role", fields: [name, grid], wide: true,
    submit: async () => {
      const permissions = RESOURCES.map((resource) => ({ resource, actions: boxes.filter((one) => one.resource === resource && one.box.checked).map((one) => one.action) }))
        .filter((grant) => grant.actions.length > 0);
      if (role) await api.patch(`/roles/${role.id}`, { name: name.control.value, permissions }, { tag });
      else await api.post("/roles", { name: name.control.value, permissions }, { once: crypto.randomUUID() });
      reload();
    },
  });
}
