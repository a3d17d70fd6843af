// Roles as one matrix: resources down, roles across.

import { h } from "../../lib/dom.js";
import * as format from "../../lib/format.js";
import { ACTIONS, RESOURCES, grants } from "../../lib/permissions.js";
import { actionCard, badge, button, field, input } from "../../ui/controls.js";
import { confirmDialog, formDialog } from "../../ui/dialog.js";

const ML_ONLY = new Set(["predict", "feedback", "train", "deploy"]);

export async function rolesPart({ api, session, reload }) {
  const roles = await api.all("/roles");
  const mayUpdate = session.can("update", "roles");
  const mayDelete = session.can("delete", "roles");
  const acts = (role) => !role.isBuiltin && h("div", { class: "row-actions" },
    mayUpdate && button(`Edit ${role.name}`, { icon: "edit", iconOnly: true, kind: "quiet", onclick: () => edit(api, role, reload) }),
    mayDelete && button(`Delete ${role.name}`, { icon: "remove", iconOnly: true, kind: "quiet", onclick: async () => {
      if (await confirmDialog(`Delete the role ${role.name}`, "Users who hold the role lose what the role grants.", "Delete", () => api.delete(`/roles/${role.id}`))) reload();
    } }));
  return actionCard("Roles", session.can("write", "roles") && button("Add a role", { icon: "plus", kind: "primary", onclick: () => edit(api, null, reload) }),
    h("div", { class: "table-frame table-fixed", role: "region", "aria-label": "What each role may do", tabindex: "0" }, h("table", { class: "matrix" },
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Resource"), roles.map((role) => h("th", { scope: "col" }, role.name, role.isBuiltin ? h("span", { class: "note" }, " built in") : acts(role))))),
      h("tbody", {}, RESOURCES.map((resource) => h("tr", {}, h("th", { scope: "row" }, format.words(resource)), roles.map((role) => h("td", {}, summary(role, resource)))))))),
    h("p", { class: "note", style: { "margin-top": "var(--gap-3)" } }, "Users hold the grants of all their roles. A built-in role stays as it is; add a role for anything else."));
}

/** The actions that a role grants on a resource, in words. */
function summary(role, resource) {
  const fitting = ACTIONS.filter((action) => fits(resource, action));
  const held = fitting.filter((action) => grants(role.permissions, action, resource));
  if (held.length === 0) return h("span", { class: "note" }, "–");
  return held.length === fitting.length ? badge("everything", "good") : held.map((action) => format.words(action).toLowerCase()).join(", ");
}

const fits = (resource, action) => !ML_ONLY.has(action) || resource === "ml";

/** What a role grants, as boxes to tick. */
function matrix(permissions, boxes) {
  return h("div", { class: "table-frame table-fixed", role: "region", "aria-label": "What the role grants", tabindex: "0" }, h("table", { class: "matrix" },
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Resource"), ACTIONS.map((action) => h("th", { scope: "col" }, format.words(action))))),
    h("tbody", {}, RESOURCES.map((resource) => h("tr", {}, h("th", { scope: "row" }, format.words(resource)), ACTIONS.map((action) => {
      if (!fits(resource, action)) return h("td");
      const held = grants(permissions, action, resource);
      const box = h("input", { type: "checkbox", "aria-label": `${format.words(action)} ${format.words(resource)}` });
      box.checked = held;
      boxes.push({ resource, action, box, held });
      return h("td", {}, box);
    }))))));
}

async function edit(api, shown, reload) {
  // Together with the tag: what somebody else has changed since the matrix was shown is not overwritten.
  const { data: role, tag } = shown ? await api.get(`/roles/${shown.id}`) : { data: null, tag: null };
  const name = field("Name", input({ name: "name", value: role?.name ?? "" }));
  const boxes = [];
  const grid = matrix(role?.permissions ?? [], boxes);
  await formDialog({
    title: role ? `Edit ${role.name}` : "Add a role", fields: [name, grid], wide: true,
    submit: async (_, once) => {
      const permissions = RESOURCES.map((resource) => ({ resource, actions: boxes.filter((one) => one.resource === resource && one.box.checked).map((one) => one.action) }))
        .filter((grant) => grant.actions.length > 0);
      // Grants by a wildcard stay such where nobody has ticked anything: written out, they would leave out what is added later.
      const isChanged = boxes.some((one) => one.box.checked !== one.held);
      const body = { name: name.control.value, permissions: role && !isChanged ? undefined : permissions };
      if (role) await api.patch(`/roles/${role.id}`, body, { tag });
      else await api.post("/roles", body, { once: once(body) });
      reload();
    },
  });
}
