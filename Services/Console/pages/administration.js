// Administration: users and invitations, roles as a matrix, API keys, audit, settings and calendars, usage.

import { h } from "../lib/dom.js";
import { pageHead, tabs } from "../ui/controls.js";
import { usersPart } from "./administration/users.js";
import { rolesPart } from "./administration/roles.js";
import { keysPart } from "./administration/keys.js";
import { auditPart } from "./administration/audit.js";
import { settingsPart } from "./administration/settings.js";
import { usagePart } from "./administration/usage.js";

const PARTS = [
  ["users", "Users", "users", usersPart], ["roles", "Roles", "roles", rolesPart], ["keys", "API keys", "api_keys", keysPart],
  ["settings", "Settings", "settings", settingsPart], ["audit", "Audit", "audit", auditPart], ["usage", "Usage", "usage", usagePart],
];

export default async function administrationPage(context) {
  const open = PARTS.filter(([, , resource]) => context.session.can("read", resource));
  if (open.length === 0) return pageHead("Administration", { note: "Your roles open nothing of this page." });
  const [, name, , part] = open.find(([key]) => key === context.parameters.part) ?? open[0];
  return [
    pageHead("Administration"), tabs("Administration", open.map(([key, label]) => [label, `#/administration/${key}`]), name),
    h("div", { class: "stack" }, await part(context)),
  ];
}
