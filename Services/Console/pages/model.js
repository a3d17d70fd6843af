// One model's card: what it was made from, what it can do beside its rivals, and what it may not claim.

import { h } from "../lib/dom.js";
import * as format from "../lib/format.js";
import { badge, button, card, checkbox, facts, field, input, later, pageHead } from "../ui/controls.js";
import { confirmDialog, formDialog, toast } from "../ui/dialog.js";
import { table } from "../ui/table.js";
import { reliabilityChart } from "../ui/chart.js";
import { driftView } from "./model/drift.js";
import { datasetReport, statusBadge } from "./models.js";

/** So many of the newest answers say enough of how a model keeps its word. */
const MOST_RECORDS = 5000;

export default async function modelPage({ api, session, parameters, reload }) {
  const { data: model } = await api.get(`/models/${parameters.id}`);
  const mayDeploy = session.can("deploy", "ml");
  const candidates = model.metrics.candidates ?? model.metrics.reports ?? [];
  const gates = model.metrics.gates ?? [];
  return [
    pageHead(`Model, version ${model.version}`, {
      note: `${format.words(model.kind)}, made ${format.moment(model.createdAt)}`, back: { href: "#/models", label: "Models" },
      actions: [
        mayDeploy && model.status !== "deployed" && model.status !== "archived" && button("Put into service", { kind: "primary", onclick: () => deploy(api, model, reload) }),
        mayDeploy && model.status !== "deployed" && model.status !== "archived" && button("Archive", { icon: "remove", onclick: async () => {
          if (await confirmDialog("Archive the model", "An archived model cannot be put into service again.", "Archive", () => api.post(`/models/${model.id}/archive`))) reload();
        } }),
      ],
    }),
    h("div", { class: "stack" }, h("div", { class: "halves" },
      card("State", facts([
        ["Status", statusBadge(model.status)], model.status === "deployed" && ["In service since", format.moment(model.deployedAt)],
        ["Accuracy of success", format.share(model.accuracyScore)], ["Precision", format.share(model.precisionScore)],
        ["Recall", format.share(model.recallScore)], ["Artefact", h("code", {}, model.artifactSha256.slice(0, 16))],
      ]), gates.length > 0 && [h("h3", { style: { "margin-top": "var(--gap-4)" } }, "Gates"), h("ul", { class: "gates" }, gates.map((gate) =>
        h("li", {}, gateBadge(gate), " ", gate.explanation)))]),
      card("Card", model.card.split("\n").map((line) => h("p", {}, line)))),
    card("Candidates on the same rows", candidateTable(candidates, true), candidateTable(candidates, false)),
    card("Drift", later(() => driftView(api, session, model))),
    h("div", { class: "halves" },
      card("Said against observed", later(() => reliability(api, model))),
      card("Data set", later(() => datasetReport(api, model.datasetId)))))];
}

/** A gate refuses the model, or its chances of keeping a plan alone. */
const gateBadge = ({ passed, refuses }) => (passed ? badge("passed", "good") : refuses === "chances" ? badge("chances refused", "warn") : badge("not passed", "bad"));

function candidateTable(candidates, withPlan) {
  const rows = candidates.filter((entry) => entry.withPlan === withPlan);
  if (rows.length === 0) return null;
  const overall = (entry) => entry.slices[0];
  const spread = (entry, name) => {
    const range = overall(entry).bootstrap?.find((one) => one.figure === name);
    return range ? h("span", { class: "note" }, ` (${format.number(range.low, 2)}–${format.number(range.high, 2)})`) : null;
  };
  return h("div", { style: { "margin-top": "var(--gap-3)" } }, h("h3", {}, withPlan ? "With the planned hours known" : "Without planned hours"), table({
    label: withPlan ? "Candidates with a plan" : "Candidates without a plan", rows,
    columns: [
      { title: "Candidate", kind: "wide", cell: (entry) => [entry.title, entry.isBaseline && [" ", badge("baseline")]] },
      { title: "Mean error (h)", kind: "number", cell: (entry) => [format.number(overall(entry).hours?.mae, 2), spread(entry, "mae")] },
      { title: "Median error (h)", kind: "number", cell: (entry) => format.number(overall(entry).hours?.medianAbsoluteError, 2) },
      { title: "Within 25 %", kind: "number", cell: (entry) => format.share(overall(entry).hours?.pred25) },
      { title: "Brier score", kind: "number", cell: (entry) => [format.number(overall(entry).success?.brier, 3), spread(entry, "brier")] },
      { title: "AUC", kind: "number", cell: (entry) => format.number(overall(entry).success?.auc, 3) },
      { title: "80 % range held", kind: "number", cell: (entry) => format.share(overall(entry).intervals?.find((range) => range.level === 80)?.coverage) },
    ],
  }));
}

/** Of answered questions whose outcome is known: how often what was said to have a chance came true. */
async function reliability(api, model) {
  const records = [];
  for await (const page of api.pages("/predictions", { modelId: model.id })) {
    records.push(...page);
    if (records.length >= MOST_RECORDS) break;
  }
  const bins = Array.from({ length: 10 }, () => ({ said: 0, observed: 0, count: 0 }));
  for (const { request, prediction, actual } of records) {
    if (!actual || prediction.successProbability === null || prediction.successProbability === undefined || !request.plannedHours) continue;
    const bin = bins[Math.min(9, Math.floor(prediction.successProbability * 10))];
    bin.said += prediction.successProbability;
    bin.observed += actual.actualHours <= request.plannedHours ? 1 : 0;
    bin.count += 1;
  }
  const points = bins.filter((bin) => bin.count > 0).map((bin) => ({ said: bin.said / bin.count, observed: bin.observed / bin.count, count: bin.count }));
  if (points.length === 0) return h("p", { class: "note" }, "No answer of this model that gave a chance of success has an outcome yet. Outcomes arrive as bookings are completed; a model whose card says so gives no chances.");
  return [reliabilityChart({ label: "Chance of success: said against observed, in percent", points }),
    h("p", { class: "note" }, `${format.count(points.reduce((sum, point) => sum + point.count, 0))} of the latest ${format.count(records.length)} answers have a known outcome. On the dashed line, what was said came true.`)];
}

function deploy(api, model, done) {
  const note = field("Why", input({ name: "note", maxlength: 500 }), { hint: "For the deployment history" });
  const force = checkbox("Deploy although a gate was not passed", false);
  return formDialog({
    title: `Put version ${model.version} into service`, fields: [note, model.status !== "validated" && force].filter(Boolean), submitLabel: "Put into service",
    submit: async () => {
      await api.post(`/models/${model.id}/deploy`, { note: note.control.value || null, force: force.control.checked });
      toast(`Version ${model.version} is in service.`);
      done();
    },
  });
}
