// Models: what serves, what was trained, what is being trained, and when it is done again.

import { h } from "../lib/dom.js";
import * as format from "../lib/format.js";
import { link } from "../lib/router.js";
import { badge, button, card, checkbox, empty, facts, field, input, later, pageHead } from "../ui/controls.js";
import { confirmDialog, formDialog, showDialog, toast } from "../ui/dialog.js";
import { pagedTable } from "../ui/table.js";

const STATUS_TONE = { deployed: "good", validated: "info", trained: "plain", archived: "plain", running: "info", succeeded: "good", failed: "bad" };
export const statusBadge = (status) => badge(format.words(status), STATUS_TONE[status] ?? "plain");

/** What the gates of a model have refused, with the figures. */
export const refusalNotes = (refusals) => (refusals ?? []).map(({ refused, reason }) =>
  h("p", { class: "note" }, badge(refused === "model" ? "model refused" : "chances refused", refused === "model" ? "bad" : "warn"), " ", reason));

export default function modelsPage({ api, session, router, reload }) {
  const mayTrain = session.can("train", "ml");
  const mayDeploy = session.can("deploy", "ml");
  return [
    pageHead("Models", {
      note: "Each job judges several candidates on the latest rows; the best one can be put into service.",
      actions: [
        mayDeploy && button("Roll back", { icon: "undo", onclick: () => rollBack(api, reload) }),
        mayTrain && button("Train a model", { kind: "primary", icon: "plus", onclick: () => train(api, router) }),
      ],
    }),
    h("div", { class: "stack" },
      card("Models", pagedTable({
        api, path: "/models", label: "Models", limit: 50,
        empty: empty("No model yet", "Import completed work, then train the first model.", mayTrain && button("Train a model", { kind: "primary", onclick: () => train(api, router) })),
        columns: [
          { title: "Version", cell: (model) => h("a", { href: link(`models/${model.id}`) }, `Version ${model.version}`) },
          { title: "Status", cell: (model) => statusBadge(model.status) },
          { title: "Kind", kind: "wide", cell: (model) => [format.words(model.kind), refusalNotes(model.refusals)] },
          { title: "Accuracy of success", kind: "number", cell: (model) => format.share(model.accuracyScore) },
          { title: "Made", kind: "date", cell: (model) => format.moment(model.createdAt) },
          { title: "In service since", kind: "date", cell: (model) => (model.status === "deployed" ? format.moment(model.deployedAt) : "–") },
        ],
      })),
      card("Training jobs", pagedTable({
        api, path: "/training/jobs", label: "Training jobs", limit: 20, empty: empty("No job has run yet"),
        columns: [
          { title: "Started", cell: (job) => h("a", { href: link(`jobs/${job.id}`) }, format.moment(job.createdAt)) },
          { title: "Status", cell: (job) => statusBadge(job.status) },
          { title: "Stage", kind: "wide", cell: (job) => [job.error ?? job.stage, refusalNotes(job.refusals)] },
          { title: "History", kind: "number", cell: (job) => `${format.count(job.months)} months` },
          { title: "By", cell: (job) => format.words(job.origin ?? "request") },
        ],
      })),
      card("Data sets", pagedTable({
        api, path: "/datasets", label: "Data sets", limit: 10, empty: empty("Nothing was learned from yet"),
        columns: [
          { title: "Made", cell: (one) => format.moment(one.createdAt) },
          { title: "Rows", kind: "number", cell: (one) => format.count(one.rowCount) },
          { title: "Features", kind: "number", cell: (one) => format.count(one.featureCount) },
          { title: "Work from", kind: "date", cell: (one) => format.moment(one.spanStart) },
          { title: "Known by", kind: "date", cell: (one) => format.moment(one.asOf) },
          { title: "Content", cell: (one) => h("code", {}, one.contentSha256.slice(0, 16)) },
          { title: "", kind: "actions", cell: (one) => button("Report", { kind: "quiet", onclick: () => showDialog(`Report of the data set of ${format.moment(one.createdAt)}`, later(() => datasetReport(api, one.id)), true) }) },
        ],
      })),
      h("div", { class: "halves" },
        card("Schedule", later(() => schedule(api, mayTrain, reload))),
        card("Deployments", pagedTable({
          api, path: "/models/deployments", label: "Deployments", limit: 10, empty: empty("Nothing was deployed yet"),
          columns: [
            { title: "When", kind: "date", cell: (entry) => format.moment(entry.deployedAt) },
            { title: "Version", kind: "nowrap", cell: (entry) => [`Version ${entry.version}`, entry.forced && [" ", badge("forced", "warn")]] },
            { title: "Reason", cell: (entry) => format.words(entry.reason) },
            { title: "Note", kind: "wide", cell: (entry) => entry.note ?? "–" },
          ],
        })))),
  ];
}

/** What a model learned from: how much of it, and what is wrong with it. */
export async function datasetReport(api, id) {
  const { data: report } = await api.get(`/datasets/${id}/report`);
  return h("div", { class: "stack" }, facts([
    ["Rows with an outcome", format.count(report.rows)], ["Unfinished work", format.count(report.unfinishedWork)],
    ["Without hours", format.count(report.withoutHours)], ["People", format.count(report.people.distinct)], ["Projects", format.count(report.projects.distinct)],
  ]), report.warnings.length > 0 && h("ul", {}, report.warnings.map((text) => h("li", {}, text))));
}

function train(api, router) {
  const months = field("Months of history", input({ name: "months", type: "number", min: 1, max: 240, value: 24 }), { hint: "1 to 240" });
  const epochs = field("Epochs of the networks", input({ name: "epochs", type: "number", min: 10, max: 1000, value: 100 }), { hint: "10 to 1000" });
  return formDialog({
    title: "Train a model", fields: [months, epochs], submitLabel: "Start training",
    submit: async (_, once) => {
      const whole = ({ control }) => (control.value === "" ? undefined : Number(control.value));
      const body = { months: whole(months), epochs: whole(epochs) };
      const { data } = await api.post("/training/jobs", body, { once: once(body) });
      router.go(`jobs/${data.jobId}`);
    },
  });
}

async function rollBack(api, reload) {
  const done = await confirmDialog("Roll back", "The model that served before the present one takes over again.", "Roll back", () => api.post("/models/rollback"));
  if (done) {
    toast("The earlier model is in service.");
    reload();
  }
}

async function schedule(api, mayTrain, reload) {
  let current = null;
  try {
    current = (await api.get("/training/schedule")).data;
  } catch (error) {
    if (error.status !== 404) throw error;
  }
  const change = mayTrain && button(current ? "Change" : "Set a schedule", { icon: "edit", onclick: () => editSchedule(api, current, reload) });
  if (!current) return [h("p", { class: "note" }, "Models are trained only on request."), h("div", { class: "actions" }, change)];
  return h("div", { class: "stack" }, facts([
    ["Every", current.everyDays ? `${current.everyDays} days` : null],
    ["After new outcomes", current.newOutcomes && format.count(current.newOutcomes)],
    ["Deploys by itself", current.deployAutomatically ? "Yes, after evidence" : "No"],
    ["Next", current.state.nextDueAt && format.moment(current.state.nextDueAt)],
    ["State", current.state.explanation],
    ["Latest deployment", current.state.deployment],
  ].filter(([, value]) => value)), h("div", { class: "actions" }, change,
    mayTrain && button("Remove", { icon: "remove", onclick: async () => {
      if (await confirmDialog("Remove the schedule", "Models will be trained only on request.", "Remove", () => api.delete("/training/schedule"))) reload();
    } })));
}

function editSchedule(api, current, reload) {
  const days = field("Every so many days", input({ name: "everyDays", type: "number", min: 1, max: 365, value: current?.everyDays ?? 30 }), { hint: "Leave empty to train by outcomes only" });
  const outcomes = field("After so many new outcomes", input({ name: "newOutcomes", type: "number", min: 1, value: current?.newOutcomes ?? 200 }));
  const months = field("Months of history", input({ name: "months", type: "number", min: 1, max: 240, value: current?.months ?? 24 }));
  const deploys = checkbox("Deploy by itself when the evidence is enough", current?.deployAutomatically ?? false);
  const whole = (entry) => (entry.control.value === "" ? null : Number(entry.control.value));
  return formDialog({
    title: "Training schedule", fields: [days, outcomes, months, deploys],
    submit: async () => {
      await api.put("/training/schedule", { everyDays: whole(days), newOutcomes: whole(outcomes), months: whole(months) ?? 24, deployAutomatically: deploys.control.checked });
      reload();
    },
  });
}
