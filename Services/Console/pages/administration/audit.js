// The audit log: who changed what, before and after; and whether the chain of entries is whole.

import { h, replace } from "../../lib/dom.js";
import * as days from "../../lib/days.js";
import * as format from "../../lib/format.js";
import { badge, button, card, empty, failure, field, input, later, loading, select } from "../../ui/controls.js";
import { showDialog } from "../../ui/dialog.js";
import { pagedTable, table } from "../../ui/table.js";

const ENTITIES = ["", "employee", "project", "allocation", "leave", "calendar", "department", "skill", "user", "role", "settings", "api_key", "model", "schedule"];

/** What was changed, newest first, with a look at each entry. `names` are users' names by id. */
export function auditTable({ api, filter, names, label, limit, empty: nothing, isOfOne = false }) {
  return pagedTable({
    api, path: "/audit-logs", query: filter, label, limit, empty: nothing,
    columns: [
      { title: "Number", kind: "number", cell: (entry) => format.count(entry.seq) },
      { title: "When", kind: "date", cell: (entry) => format.moment(entry.occurredAt) },
      { title: "By", cell: (entry) => names.get(entry.actor) ?? h("code", {}, entry.actor) },
      !isOfOne && { title: "What", cell: (entry) => format.words(entry.entity) },
      { title: "Change", cell: (entry) => format.words(entry.action) },
      isOfOne && { title: "Fields", kind: "wide", cell: (entry) => Object.keys({ ...entry.details?.before, ...entry.details?.after }).map((name) => format.words(name)).join(", ") || format.NOTHING },
      { title: "", kind: "actions", cell: (entry) => button(`Details of entry ${entry.seq}`, { icon: "search", iconOnly: true, kind: "quiet", onclick: () => details(entry) }) },
    ].filter(Boolean),
  });
}

/** The versions of one thing: who changed what of it, and when. */
export function historyOf(api, session, entity, id) {
  return later(async () => auditTable({
    api, filter: { entity, entityId: id }, names: await namesOfUsers(api, session), label: "History", limit: 20, isOfOne: true, empty: h("p", { class: "note" }, "Nothing was changed."),
  }));
}

async function namesOfUsers(api, session) {
  const users = session.can("read", "users") ? await api.all("/users") : [];
  return new Map(users.map((user) => [user.id, user.name]));
}

export async function auditPart({ api, session, router, query }) {
  const names = await namesOfUsers(api, session);
  const place = h("div");
  const entity = field("Kind", select(ENTITIES.map((name) => [name, name ? format.words(name) : "Everything"]), query.get("entity") ?? ""));
  const actor = field("By", select([["", "Everybody"], ...names], query.get("actor") ?? ""));
  const from = field("From", input({ type: "date", value: query.get("from") ?? "" }));
  const to = field("To", input({ type: "date", value: query.get("to") ?? "" }));
  const state = h("div");
  const show = () => {
    const seen = { entity: entity.control.value, actor: actor.control.value, from: from.control.value, to: to.control.value };
    router.note(seen);
    // Days as the times in the table are, both included.
    const filter = { ...seen, from: seen.from && days.startOf(seen.from, session.timeZone), to: seen.to && days.startOf(days.formatDay(days.parseDay(seen.to) + 1), session.timeZone) };
    replace(place, auditTable({ api, filter, names, label: "Audit log", empty: empty("No entry") }));
  };
  for (const one of [entity, actor, from, to]) one.control.addEventListener("change", show);
  show();
  return card("Audit log", h("div", { class: "filters" }, entity, actor, from, to, button("Verify the chain", { icon: "check", onclick: () => verify(api, state) })), state, place);
}

async function verify(api, place) {
  replace(place, loading("Reckoning every entry's hash"));
  try {
    const { data } = await api.get("/audit-logs/verification");
    const wrong = [
      data.firstBrokenSeq && `Broken from entry ${data.firstBrokenSeq} on`,
      data.forgedHeads > 0 && `Forged heads: ${format.count(data.forgedHeads)}`,
      data.changedValues > 0 && `Names and addresses that were changed: ${format.count(data.changedValues)}`,
      data.missingValues > 0 && `Names and addresses that are gone without a record: ${format.count(data.missingValues)}`,
    ].filter(Boolean);
    replace(place, h("p", {}, data.isWhole ? badge("The chain is whole", "good") : wrong.map((text) => badge(text, "bad"))));
  } catch (error) {
    replace(place, failure(error));
  }
}

function details(entry) {
  const { before = {}, after = {}, ...rest } = entry.details ?? {};
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])].sort();
  const text = (value) => (value === undefined || value === null ? "–" : typeof value === "object" ? JSON.stringify(value) : String(value));
  showDialog(`Entry ${entry.seq}`, h("div", { class: "stack" },
    names.length > 0 && table({
      label: "Before and after", rows: names,
      columns: [
        { title: "Field", cell: (name) => name },
        { title: "Before", cell: (name) => text(before?.[name]) },
        { title: "After", cell: (name) => text(after?.[name]) },
      ],
    }),
    Object.keys(rest).length > 0 && h("pre", { class: "code" }, JSON.stringify(rest, null, 2)),
    h("p", { class: "note" }, `Object ${entry.entityId ?? "–"} · request ${entry.requestId ?? "–"} · hash ${entry.hash.slice(0, 16)}…`)), true);
}
