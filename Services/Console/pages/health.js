// How the platform is, for its operator: every service's nodes, what they lack, what they hear of each other, and what waits.

import { h, replace } from "../lib/dom.js";
import * as format from "../lib/format.js";
import { badge, button, card, failure, loading, pageHead } from "../ui/controls.js";
import { table } from "../ui/table.js";

/** What has changed is seen after so long at the latest. */
const REFRESH = 15_000;

const BACKLOGS = {
  "audit-notes": ["Audit notes", "on their way to tenants' audit logs"],
  "tenants-to-migrate": ["Tenants to migrate", "refused until their schema is up to date"],
  "tenants-to-purge": ["Tenants to purge", "deleted for good once every service has confirmed"],
  "training-jobs": ["Training jobs", "that may begin and that no worker has taken"],
};
const MESSAGES = { invitation: "Invitations", password_reset: "Password resets" };

export default function healthPage({ api, signal }) {
  const place = h("div", { class: "stack" }, loading());
  const told = h("p", { class: "note", role: "status" });
  const trouble = h("div", { hidden: true });

  async function look() {
    try {
      const [{ data: services }, waiting] = await Promise.all([
        api.get("/health", {}, { signal }),
        // Where the service that keeps messages is away, the rest is still told.
        api.get("/messages", {}, { signal }).then(({ data }) => data, (error) => { if (signal.aborted) throw error; return null; }),
      ]);
      if (signal.aborted) return;
      trouble.hidden = true;
      replace(told, `As of ${new Date().toLocaleTimeString(format.locale)}.`);
      replace(place, summary(services), nodeTable(services), card("What waits", backlogTable(services, waiting)));
    } catch (error) {
      if (signal.aborted) return;
      if (place.querySelector(".loading")) replace(place);
      replace(trouble, failure(error, look));
      trouble.hidden = false;
    }
  }

  const timer = setInterval(() => document.hidden || look(), REFRESH);
  signal.addEventListener("abort", () => clearInterval(timer));
  look();
  return [
    pageHead("Health", { note: "Every node as this gateway sees it and as it sees itself.", actions: [told, button("Look again", { onclick: look })] }),
    h("div", { class: "stack" }, trouble, place),
  ];
}

const isWell = (node) => Boolean(node.health?.isReady) && node.circuit === "closed";

function summary(services) {
  const ill = services.filter(({ nodes }) => !nodes.every(isWell)).map(({ service }) => service);
  if (ill.length === 0) return h("p", {}, badge("all well", "good"), " Every node is ready and gets requests.");
  return h("div", { class: "notice" }, h("p", {}, `Not well: ${ill.join(", ")}. A service with a ready node still answers.`));
}

function nodeTable(services) {
  const rows = services.flatMap(({ service, nodes }) => nodes.map((node) => ({ service, node })));
  const mixed = services.filter(({ nodes }) => builds(nodes) > 1).map(({ service }) => service);
  return card("Nodes", table({
    label: "Nodes", rows,
    columns: [
      { title: "Node", kind: "nowrap", cell: ({ service, node }) => [service, h("div", { class: "note" }, node.address ?? "the node that answered")] },
      { title: "State", cell: ({ node }) => state(node) },
      { title: "Needs", cell: ({ node }) => needs(node) },
      { title: "Hears changes of", cell: ({ node }) => feeds(node) },
      { title: "Under way", kind: "number", cell: ({ node }) => (node.address ? format.count(node.requestsUnderWay) : format.NOTHING) },
      { title: "Runs since", kind: "date", cell: ({ node }) => h("div", {}, format.moment(node.health?.startedAt), node.health?.programWrittenAt && h("div", { class: "note" }, `program of ${format.moment(node.health.programWrittenAt)}`)) },
    ],
  }), mixed.length > 0 && h("p", { class: "note" }, `Nodes of ${mixed.join(", ")} run programs of different times: an upgrade is under way, or a node was left out.`));
}

const builds = (nodes) => new Set(nodes.map((node) => node.health?.programWrittenAt).filter(Boolean)).size;

function state(node) {
  return h("div", { class: "badges" },
    node.health ? badge(node.health.isReady ? "ready" : "not ready", node.health.isReady ? "good" : "bad") : badge("does not say", "bad"),
    node.circuit === "open" && badge("gets no requests", "bad"), node.circuit === "half_open" && badge("being tried", "warn"),
    node.isDraining && badge("going down", "warn"), node.failedChecks > 0 && badge(`${node.failedChecks} checks failed`, "warn"));
}

function needs({ health, reason }) {
  if (!health) return reason;
  if (health.dependencies.length === 0) return "Nothing";
  return h("ul", { class: "plain" }, health.dependencies.map((one) => h("li", {}, badge(one.name, one.isReady ? "good" : "bad"), one.reason && ` ${one.reason}`)));
}

function feeds({ health }) {
  if (!health || health.feeds.length === 0) return format.NOTHING;
  return h("ul", { class: "plain" }, health.feeds.map((one) => h("li", {}, badge(one.name, one.isHeard ? "good" : "warn"), " ",
    one.heardSecondsAgo === null || one.heardSecondsAgo === undefined ? "not heard yet" : one.heardSecondsAgo < 1 ? "just now" : `${format.duration(one.heardSecondsAgo)} ago`)));
}

/** Every node of a service tells the same of what waits: the first that does is believed. */
function backlogTable(services, waiting) {
  const now = Date.now();
  const rows = (waiting ?? []).map((one) => ({
    name: MESSAGES[one.kind] ?? format.words(one.kind), note: one.waiting > 0 && one.mostAttempts > 0 ? `tried up to ${one.mostAttempts} times` : "messages to people",
    service: "tenant-admin", count: one.waiting, due: one.due, oldest: one.oldestAt ? (now - Date.parse(one.oldestAt)) / 1000 : null,
  }));
  if (!waiting) rows.push({ name: "Messages to people", note: "", service: "tenant-admin", count: null, oldest: null });
  for (const { service, nodes } of services) {
    const told = nodes.find((node) => node.health)?.health.backlogs ?? [];
    for (const one of told) {
      const [name, note] = BACKLOGS[one.name] ?? [format.words(one.name), ""];
      rows.push({ name, note, service, count: one.count, total: one.total, oldest: one.oldestSeconds });
    }
  }
  const counted = (row) => (row.count === null || row.count === undefined ? badge("cannot be counted", "warn") : `${format.count(row.count)}${row.total ? ` of ${format.count(row.total)}` : ""}`);
  return table({
    label: "What waits", rows,
    columns: [
      { title: "What", kind: "wide", cell: (row) => [row.name, row.note && h("span", { class: "note" }, ` ${row.note}`)] },
      { title: "Service", cell: (row) => row.service },
      { title: "Waiting", kind: "number", cell: counted },
      { title: "Due now", kind: "number", cell: (row) => format.count(row.due) },
      { title: "Oldest", kind: "number", cell: (row) => format.duration(row.oldest) },
    ],
  });
}
