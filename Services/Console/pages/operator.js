// The platform operator's page: tenants, their use, and what waits to be delivered.

import { h, save } from "../lib/dom.js";
import * as format from "../lib/format.js";
import { badge, button, empty, facts, field, input, later, pageHead, select } from "../ui/controls.js";
import { confirmDialog, formDialog, showDialog, toast } from "../ui/dialog.js";
import { pagedTable, table } from "../ui/table.js";

export default function operatorPage({ api, reload }) {
  return [
    pageHead("Tenants", { actions: [button("Create a tenant", { kind: "primary", icon: "plus", onclick: () => create(api, reload) })] }),
    h("div", { class: "stack" }, pagedTable({
      api, path: "/tenants", label: "Tenants", empty: empty("No tenant yet", "Create the first one."),
      columns: [
        { title: "Name", cell: (tenant) => [tenant.name, h("div", { class: "note" }, h("code", {}, tenant.id))] },
        { title: "Subdomain", cell: (tenant) => tenant.subdomain },
        { title: "Plan", cell: (tenant) => format.words(tenant.plan) },
        { title: "State", cell: (tenant) => (tenant.deletedAt ? badge("deleted", "bad") : tenant.isActive ? badge("active", "good") : badge("suspended", "warn")) },
        { title: "Made", kind: "date", cell: (tenant) => format.moment(tenant.createdAt) },
        { title: "", kind: "actions", cell: (tenant) => h("div", { class: "row-actions" },
          button("Usage", { kind: "quiet", onclick: () => usage(api, tenant) }),
          button("Export", { kind: "quiet", onclick: () => exportTenant(api, tenant) }),
          lifecycle(api, tenant, reload)) },
      ],
    })),
  ];
}

async function exportTenant(api, tenant) {
  toast(`Packing what ${tenant.name} holds.`);
  try {
    await save(await api.response("GET", `/tenants/${tenant.id}/export`), `${tenant.subdomain}.zip`);
  } catch (error) {
    toast(error.message, { tone: "bad" });
  }
}

function lifecycle(api, tenant, reload) {
  const act = (verb) => async () => {
    await api.post(`/tenants/${tenant.id}/${verb}`);
    toast(`${tenant.name}: ${verb === "suspend" ? "suspended" : verb === "resume" ? "resumed" : "restored"}.`);
    reload();
  };
  if (tenant.deletedAt) return button("Restore", { kind: "quiet", onclick: act("restore") });
  return [
    tenant.isActive
      ? button("Suspend", { kind: "quiet", onclick: () => confirmDialog(`Suspend ${tenant.name}`, "Nobody of the tenant can sign in or ask anything until the tenant is resumed.", "Suspend", act("suspend")) })
      : button("Resume", { kind: "quiet", onclick: act("resume") }),
    button("Delete", { kind: "quiet", onclick: () => confirmDialog(`Delete ${tenant.name}`, "The tenant's data can be restored for some time; then the data is removed for good.", "Delete", async () => {
      await api.delete(`/tenants/${tenant.id}`);
      reload();
    }) }),
  ];
}

function create(api, reload) {
  const fields = [
    field("Company's name", input({ name: "name" })),
    field("Subdomain", input({ name: "subdomain" }), { hint: "Lower-case letters, digits and hyphens" }),
    field("Plan", select([["starter", "Starter"], ["professional", "Professional"], ["enterprise", "Enterprise"]], "starter", { name: "plan" })),
    field("First administrator's e-mail", input({ name: "adminEmail", type: "email" })),
    field("First administrator's password", input({ name: "adminPassword", type: "password", autocomplete: "new-password" }), { hint: "At least 12 characters" }),
  ];
  return formDialog({
    title: "Create a tenant", fields, submitLabel: "Create",
    submit: async (_, once) => {
      const body = Object.fromEntries(fields.map((entry) => [entry.control.name, entry.control.value]));
      const { data } = await api.post("/tenants", body, { once: once(body) });
      toast(`${data.name} was created.`);
      reload();
    },
  });
}

function usage(api, tenant) {
  showDialog(`Usage of ${tenant.name}`, later(async () => {
    const { data } = await api.get(`/tenants/${tenant.id}/usage`);
    return usageView(data);
  }), true);
}

/** A tenant's use beside what its plan allows. */
export function usageView(data) {
  return h("div", { class: "stack" }, facts([
    ["Users", `${format.count(data.activeUsers)} active of ${format.count(data.users)}; the plan allows ${format.count(data.limits.maxUsers)}`],
    ["Projects", `${format.count(data.openProjects)} open of ${format.count(data.projects)}; the plan allows ${format.count(data.limits.maxProjects)} open`],
    ["People", format.count(data.employees)], ["Bookings", format.count(data.allocations)],
    ["Storage", `${format.number(data.storageMb, 1)} MB of ${format.count(data.limits.maxStorageGb)} GB`],
    ["Training", `${format.count(data.limits.mlTrainingHours)} hours a month`],
  ]), table({
    label: "Use by day", rows: data.days.slice(-14).reverse(), empty: h("p", { class: "note" }, "No day has ended yet."),
    columns: [
      { title: "Day", kind: "date", cell: (row) => format.day(row.date) },
      { title: "API calls", kind: "number", cell: (row) => format.count(row.apiCalls) },
      { title: "Predictions", kind: "number", cell: (row) => format.count(row.predictions) },
      { title: "Bookings", kind: "number", cell: (row) => format.count(row.allocations) },
    ],
  }));
}
