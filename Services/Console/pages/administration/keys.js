// API keys: for machines; the secret is shown once.

import { h } from "../../lib/dom.js";
import * as format from "../../lib/format.js";
import { actionCard, badge, button, empty, field, input } from "../../ui/controls.js";
import { confirmDialog, formDialog, showDialog } from "../../ui/dialog.js";
import { pagedTable } from "../../ui/table.js";
import { roleBoxes } from "./users.js";

export async function keysPart({ api, session, reload }) {
  const roles = session.can("read", "roles") ? await api.all("/roles") : [];
  return actionCard("API keys", session.can("write", "api_keys") && button("Make a key", { icon: "key", kind: "primary", onclick: () => make(api, roles, reload) }), pagedTable({
    api, path: "/api-keys", label: "API keys", empty: empty("No API key", "A key lets a program use the API with the roles that you give it."),
    columns: [
      // A key goes on without its maker, who may know the secret.
      { title: "Name", cell: (key) => (key.isMakerGone ? h("div", { class: "badges" }, key.name, badge("maker no longer active", "warn")) : key.name) },
      { title: "Roles", cell: (key) => h("div", { class: "badges" }, key.roles.map((role) => badge(role.name ?? role))) },
      { title: "Made", kind: "date", cell: (key) => format.moment(key.createdAt) },
      { title: "Until", kind: "date", cell: (key) => format.moment(key.expiresAt) },
      { title: "Last used", kind: "date", cell: (key) => format.moment(key.lastUsedAt) },
      { title: "", kind: "actions", cell: (key) => session.can("delete", "api_keys") && button("Revoke", { kind: "quiet", onclick: async () => {
        if (await confirmDialog(`Revoke ${key.name}`, "Programs that use the key are refused at once.", "Revoke", () => api.delete(`/api-keys/${key.id}`))) reload();
      } }) },
    ],
  }));
}

async function make(api, roles, reload) {
  const name = field("Name", input({ name: "name" }));
  const days = field("Days until it expires", input({ name: "expiresInDays", type: "number", min: 1, max: 3650, value: 90 }));
  const boxes = roleBoxes(roles, []);
  const made = await formDialog({
    title: "Make an API key", fields: [name, days, boxes], submitLabel: "Make",
    submit: async (_, once) => {
      const body = { name: name.control.value, roles: boxes.chosen(), expiresInDays: days.control.value === "" ? undefined : Number(days.control.value) };
      return (await api.post("/api-keys", body, { once: once(body) })).data;
    },
  });
  if (!made) return;
  const dialog = showDialog("The key", [h("p", {}, "Copy the key now: it is not shown again."), h("code", { class: "secret" }, made.key)]);
  dialog.addEventListener("close", reload);
}
