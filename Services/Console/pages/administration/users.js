// Users of the tenant, and invitations to become one.

import { h } from "../../lib/dom.js";
import * as format from "../../lib/format.js";
import { actionCard, badge, button, card, checkbox, empty, field, input } from "../../ui/controls.js";
import { confirmDialog, formDialog, toast } from "../../ui/dialog.js";
import { pagedTable } from "../../ui/table.js";

export async function usersPart({ api, session, reload }) {
  const roles = session.can("read", "roles") ? await api.all("/roles") : [];
  const mayWrite = session.can("write", "users");
  return [
    actionCard("Users", mayWrite && button("Invite somebody", { icon: "plus", kind: "primary", onclick: () => invite(api, roles, reload) }), pagedTable({
      api, path: "/users", label: "Users", empty: empty("No users"),
      columns: [
        { title: "Name", cell: (user) => user.name },
        { title: "E-mail", cell: (user) => user.email },
        { title: "Roles", cell: (user) => h("div", { class: "badges" }, user.roles.map((role) => badge(role))) },
        { title: "State", cell: (user) => (user.isActive ? badge("active", "good") : badge("deactivated", "warn")) },
        { title: "", kind: "actions", cell: (user) => session.can("update", "users") && h("div", { class: "row-actions" },
          button(`Edit ${user.name}`, { icon: "edit", iconOnly: true, kind: "quiet", onclick: () => edit(api, user, roles, reload) })) },
      ],
    })),
    card("Invitations", pagedTable({
      api, path: "/invitations", label: "Invitations", empty: empty("Nobody has been invited"),
      columns: [
        { title: "E-mail", cell: (one) => one.email },
        { title: "Name", cell: (one) => one.name },
        { title: "Roles", cell: (one) => h("div", { class: "badges" }, one.roles.map((role) => badge(role))) },
        { title: "State", cell: (one) => badge(one.status, { open: "info", accepted: "good", expired: "warn" }[one.status]) },
        { title: "Until", kind: "date", cell: (one) => format.moment(one.expiresAt) },
        { title: "", kind: "actions", cell: (one) => one.status === "open" && mayWrite && button("Revoke", { kind: "quiet", onclick: async () => {
          if (await confirmDialog(`Revoke the invitation of ${one.email}`, "The link in the invitation stops working.", "Revoke", () => api.delete(`/invitations/${one.id}`))) reload();
        } }) || ["revoked", "expired"].includes(one.status) && session.can("delete", "users") && button("Forget", { kind: "quiet", onclick: async () => {
          if (await confirmDialog(`Forget ${one.email}`, "All invitations to this address are removed, and name and address taken out of the audit log.", "Forget", () => api.post(`/invitations/${one.id}/anonymise`))) reload();
        } }) },
      ],
    })),
  ];
}

/** Boxes for the roles; `chosen()` gives the names, and nothing where the roles are not known: then they stay as they are. */
export function roleBoxes(roles, held) {
  if (roles.length === 0) return Object.assign(h("p", { class: "note" }, "Roles are not shown to you."), { chosen: () => undefined });
  const boxes = roles.map((role) => Object.assign(checkbox(role.name, held.includes(role.name)), { role: role.name }));
  const element = h("fieldset", { class: "card" }, h("legend", {}, "Roles"), h("div", { class: "badges" }, boxes));
  element.chosen = () => boxes.filter((box) => box.control.checked).map((box) => box.role);
  return element;
}

function invite(api, roles, reload) {
  const email = field("E-mail", input({ name: "email", type: "email" }));
  const name = field("Name", input({ name: "name" }));
  const boxes = roleBoxes(roles, ["user"]);
  return formDialog({
    title: "Invite somebody", fields: [email, name, boxes], submitLabel: "Invite",
    submit: async (_, once) => {
      const body = { email: email.control.value, name: name.control.value, roles: boxes.chosen() };
      await api.post("/invitations", body, { once: once(body) });
      toast("The invitation is on its way.");
      reload();
    },
  });
}

async function edit(api, { id }, roles, reload) {
  // Together with the tag: what somebody else has changed since the list was shown is not overwritten.
  const { data: user, tag } = await api.get(`/users/${id}`);
  const name = field("Name", input({ name: "name", value: user.name }));
  const isActive = checkbox("May sign in", user.isActive);
  const boxes = roleBoxes(roles, user.roles);
  await formDialog({
    title: `Edit ${user.name}`, fields: [name, isActive, boxes],
    submit: async () => {
      await api.patch(`/users/${user.id}`, { name: name.control.value, isActive: isActive.control.checked, roles: boxes.chosen() }, { tag });
      reload();
    },
  });
}
