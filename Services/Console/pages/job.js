// One training job: its stage and its loss curves as they come, by server-sent events over fetch.

import { h, replace } from "../lib/dom.js";
import * as format from "../lib/format.js";
import { link } from "../lib/router.js";
import { button, card, facts, linkButton, loading, pageHead } from "../ui/controls.js";
import { confirmDialog } from "../ui/dialog.js";
import { lineChart } from "../ui/chart.js";
import { refusalNotes, statusBadge } from "./models.js";

const FINAL = new Set(["succeeded", "failed", "cancelled"]);

export default async function jobPage({ api, session, parameters, signal }) {
  const path = `/training/jobs/${parameters.id}`;
  let { data: job } = await api.get(path, { progress: 1000 });
  const head = h("div");
  const curves = h("div", {}, loading("Waiting for the first epoch"));
  const epochs = new Map(job.progress.map((entry) => [entry.epoch, entry]));

  function draw() {
    replace(head, pageHead("Training job", {
      note: `Begun ${format.moment(job.createdAt)}`, back: { href: "#/models", label: "Models" },
      actions: [
        job.modelId && linkButton("Open the model", link(`models/${job.modelId}`), { kind: "primary" }),
        !FINAL.has(job.status) && session.can("train", "ml") && button("Cancel", { icon: "close", onclick: () =>
          confirmDialog("Cancel the job", "What the job has computed so far is thrown away.", "Cancel the job", () => api.delete(path)) }),
      ],
    }), card(null, facts([
      ["Status", statusBadge(job.status)], ["Stage", job.stage], job.error && ["What went wrong", job.error],
      ["History", `${job.months} months up to ${format.moment(job.asOf)}`], ["Seed", String(job.seed)],
      job.refusals?.length > 0 && ["What was refused", refusalNotes(job.refusals)],
      job.attempts > 1 && ["Attempts", String(job.attempts)], job.finishedAt && ["Finished", format.moment(job.finishedAt)],
    ])));
    const rows = [...epochs.values()].sort((a, b) => a.epoch - b.epoch);
    if (rows.length === 0) {
      if (FINAL.has(job.status)) replace(curves, h("p", { class: "note" }, "No epoch was reported."));
      return;
    }
    replace(curves, lineChart({
      label: "Loss by epoch", yFormat: (value) => format.number(value, 3),
      series: [
        { name: "Loss", colour: "var(--bar-hard)", points: rows.map((row) => [row.epoch, row.loss]) },
        { name: "Validation loss", colour: "var(--warn)", dashed: true, points: rows.filter((row) => row.valLoss !== null && row.valLoss !== undefined).map((row) => [row.epoch, row.valLoss]) },
      ],
    }));
  }

  async function follow() {
    while (!FINAL.has(job.status) && !signal.aborted) {
      try {
        const response = await api.response("GET", `${path}/events`, { signal, headers: { "Last-Event-ID": String(Math.max(0, ...epochs.keys())) } });
        for await (const event of events(response.body)) {
          if (event.name === "progress") epochs.set(event.data.epoch, event.data);
          if (event.name === "status") job = { ...job, ...event.data };
          draw();
        }
        job = (await api.get(path, { progress: 1000 }, { signal })).data;
        for (const entry of job.progress) epochs.set(entry.epoch, entry);
        draw();
      } catch (error) {
        if (signal.aborted) return;
        await new Promise((resolve) => setTimeout(resolve, 2000));
      }
    }
  }
  draw();
  follow();
  return [head, h("div", { class: "stack", style: { "margin-top": "var(--gap-4)" } }, card("Base network: loss by epoch", curves))];
}

/** Server-sent events of a stream. */
async function* events(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const lines = block.split("\n");
      const name = lines.find((line) => line.startsWith("event: "))?.slice(7);
      const data = lines.filter((line) => line.startsWith("data: ")).map((line) => line.slice(6)).join("\n");
      if (name && data) yield { name, data: JSON.parse(data) };
    }
  }
}
