// Bringing data in: a file is looked at here, its columns are mapped, the server says what would happen, then it happens.

import { FORMATS, formatsOf, isoDay } from "../lib/date-formats.js";
import { h, replace, save } from "../lib/dom.js";
import * as format from "../lib/format.js";
import { uuid } from "../lib/ids.js";
import { KINDS } from "../lib/import-kinds.js";
import { badge, button, card, empty, facts, failure, field, loading, pageHead, select } from "../ui/controls.js";
import { pagedTable, table } from "../ui/table.js";

const HEAD_BYTES = 256 * 1024;
/** So many records of the head are looked at for examples and for the way in which dates are written. */
const MOST_EXAMPLES = 500;

export default function importPage({ api, session }) {
  const work = h("div", { class: "stack" });
  const picker = h("input", { type: "file", accept: ".csv,.tsv,.txt,.ndjson,.jsonl", class: "visually-hidden", id: "file", onchange: () => take(picker.files[0]) });
  const drop = h("label", {
    class: "drop", for: "file",
    ondragover: (event) => { event.preventDefault(); drop.classList.add("drop-over"); },
    ondragleave: () => drop.classList.remove("drop-over"),
    ondrop: (event) => {
      event.preventDefault();
      drop.classList.remove("drop-over");
      take(event.dataTransfer.files[0]);
    },
  }, h("strong", {}, "Drop a CSV or NDJSON file here"), h("span", { class: "note" }, "or choose one"));

  async function take(file) {
    if (!file) return;
    picker.value = "";
    replace(work, loading("Reading the file's head"));
    try {
      replace(work, prepare(api, file, await readHead(file), work));
    } catch (error) {
      replace(work, failure(error));
    }
  }

  return [
    pageHead("Import", { note: "Rows are matched by their external id, so that the same file may be sent again." }),
    h("div", { class: "stack" },
      session.can("write", "imports") && card("A file", picker, drop, h("div", { style: { "margin-top": "var(--gap-4)" } }, work)),
      h("div", { class: "halves" },
        card("Templates", h("p", { class: "note" }, "An empty file with the columns of its kind."), h("div", { class: "badges" }, Object.entries(KINDS).map(([kind, columns]) => template(kind, columns)))),
        session.can("write", "exports") && card("Export", h("p", { class: "note" }, "Everything that the tenant holds, as one archive of files that can be imported again."), exportButton(api))),
      card("Earlier imports", pagedTable({
        api, path: "/imports", label: "Earlier imports", limit: 20, empty: empty("Nothing was imported yet"),
        columns: [
          { title: "When", kind: "date", cell: (report) => format.moment(report.createdAt) },
          { title: "Kind", cell: (report) => format.words(report.kind) },
          { title: "State", cell: (report) => badge(report.status, { applied: "good", rejected: "bad" }[report.status] ?? "info") },
          { title: "Rows", kind: "number", cell: (report) => format.count(report.rowsRead) },
          { title: "New", kind: "number", cell: (report) => format.count(report.inserted) },
          { title: "Changed", kind: "number", cell: (report) => format.count(report.updated) },
          { title: "Refused", kind: "number", cell: (report) => format.count(report.rejected) },
        ],
      }))),
  ];
}

function exportButton(api) {
  const trouble = h("div");
  const start = button("Export everything", { icon: "export", onclick: async () => {
    start.disabled = true;
    replace(trouble, loading("Packing"));
    try {
      await save(await api.response("GET", "/export"), "erm-export.zip");
      replace(trouble);
    } catch (error) {
      replace(trouble, failure(error));
    } finally {
      start.disabled = false;
    }
  } });
  return h("div", { class: "stack" }, h("div", { class: "actions" }, start), trouble);
}

function template(kind, columns) {
  const url = URL.createObjectURL(new Blob([`${columns.join(",")}\n`], { type: "text/csv" }));
  return h("a", { class: "button button-small", href: url, download: `${kind}.csv` }, format.words(kind));
}

/** The first record of the file, and where it ends; the delimiter is what the header has most of. */
async function readHead(file) {
  const bytes = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
  const text = new TextDecoder().decode(bytes);
  const isLines = /\.(ndjson|jsonl)$/i.test(file.name) || text.trimStart().startsWith("{");
  if (isLines) return { isLines, columns: [] };
  const end = bytes.indexOf(10);
  if (end < 0) throw new Error("The file has no line after its header.");
  const header = text.slice(0, new TextDecoder().decode(bytes.slice(0, end)).length).replace(/^\uFEFF/, "").replace(/\r$/, "");
  const delimiter = [",", ";", "\t"].map((mark) => [header.split(mark).length, mark]).sort((a, b) => b[0] - a[0])[0][1];
  const columns = [...records(`${header}\n`, delimiter)][0].map((name) => name.trim());
  const isWhole = file.size <= HEAD_BYTES;
  const rows = [...firstOf(records(text.slice(text.indexOf("\n") + 1), delimiter), MOST_EXAMPLES)];
  // The last record of a part of a file may be cut off.
  if (!isWhole && rows.length < MOST_EXAMPLES) rows.pop();
  const samples = columns.map((_, index) => rows.map((row) => row[index] ?? ""));
  return { isLines, delimiter, columns, samples, formats: samples.map(formatsOf), bodyStart: end + 1 };
}

function* firstOf(items, most) {
  let taken = 0;
  for (const item of items) {
    if (taken === most) return;
    taken += 1;
    yield item;
  }
}

const plain = (name) => name.toLowerCase().replace(/[^a-z0-9]/g, "");

/** The kind that the file is named after (`employee_skills` begins like `employees`), else the one whose columns are met best. */
function guessKind(fileName, columns) {
  const [named] = Object.keys(KINDS).filter((kind) => plain(fileName).startsWith(plain(kind))).sort((a, b) => b.length - a.length);
  if (named) return named;
  const score = (kind) => KINDS[kind].filter((column) => columns.some((name) => plain(name) === plain(column))).length;
  return Object.keys(KINDS).sort((a, b) => score(b) - score(a))[0];
}

function prepare(api, file, head, work) {
  const kind = select(Object.keys(KINDS).map((key) => [key, format.words(key)]), guessKind(file.name, head.columns));
  const policy = select([["abort", "Apply nothing when a row is bad"], ["skip", "Apply the good rows"]], "abort");
  const mapping = h("div");
  const outcome = h("div");
  let choices = [];
  // How a column's dates are written: told where that is plain, asked where day and month could be either.
  const dates = (head.formats ?? []).map((fitting, index) => (fitting.length === 0 ? null
    : fitting.length === 1 ? h("span", {}, FORMATS[fitting[0]].label)
      : select([["", "Which comes first?"], ...fitting.map((name) => [name, FORMATS[name].label])], "", { "aria-label": `Dates of ${head.columns[index]}` })));
  const formatOf = (index) => (head.formats[index].length > 1 ? dates[index].value || null : head.formats[index][0] ?? null);
  const draw = () => {
    replace(outcome);
    if (head.isLines) return;
    choices = head.columns.map((name) => select([["", "Leave out"], ...KINDS[kind.value].map((column) => [column, column])], KINDS[kind.value].find((column) => plain(column) === plain(name)) ?? "", { "aria-label": `Column for ${name}` }));
    replace(mapping, table({
      label: "Columns", rows: head.columns.map((name, index) => ({ name, choice: choices[index], dates: dates[index], example: head.samples[index].find((value) => value.trim() !== "") })),
      columns: [
        { title: "In the file", cell: (row) => row.name || "(no name)" }, { title: "Example", cell: (row) => row.example ?? format.NOTHING },
        { title: "Means", cell: (row) => row.choice }, { title: "Dates", cell: (row) => row.dates ?? format.NOTHING },
      ],
    }));
  };
  kind.addEventListener("change", draw);
  draw();

  /** The file with the header that the mapping gives; written anew where columns are left out or dates are written in another way. */
  const content = async () => {
    if (head.isLines) return { body: file, type: "application/x-ndjson" };
    const names = choices.map((choice) => choice.value);
    const ways = names.map((name, index) => (name ? formatOf(index) : null));
    const open = names.findIndex((name, index) => name && head.formats[index].length > 1 && !ways[index]);
    if (open >= 0) {
      dates[open].focus();
      throw new Error(`Say how the dates of ${head.columns[open]} are written: day and month could be either.`);
    }
    const isAsItIs = names.every(Boolean) && ways.every((way) => way === null || way === "iso");
    return { body: isAsItIs ? new Blob([`${names.join(head.delimiter)}\n`, file.slice(head.bodyStart)]) : await rewritten(file, head, names, ways), type: "text/csv" };
  };

  async function send(isTrial) {
    const said = h("span", {}, isTrial ? "Looking at every row" : "Sending the file");
    replace(outcome, loading(said));
    apply.disabled = true;
    const id = uuid();
    const timer = setInterval(() => api.get(`/imports/${id}`).then(({ data }) => replace(said, `${format.words(data.status)}: ${format.count(data.rowsRead)} rows read, ${format.count(data.rejected)} bad`), () => {}), 1000);
    try {
      const sent = await content();
      const { data } = await api.send("POST", "/imports", {
        query: { kind: kind.value, onError: policy.value, dryRun: isTrial ? "true" : undefined, id }, file: sent.body, headers: { "Content-Type": sent.type },
      });
      replace(outcome, report(data, isTrial));
      apply.disabled = !isTrial;
    } catch (error) {
      replace(outcome, failure(error, () => send(isTrial)));
    } finally {
      clearInterval(timer);
    }
  }
  const apply = button("Import the file", { kind: "primary", icon: "import", onclick: () => send(false), disabled: true });
  // What was tried was something else.
  const change = () => {
    replace(outcome);
    apply.disabled = true;
  };
  for (const one of [kind, policy, mapping]) one.addEventListener("change", change);
  return [
    facts([["File", file.name], ["Size", format.bytes(file.size)], !head.isLines && ["Delimiter", { ",": "Comma", ";": "Semicolon", "\t": "Tab" }[head.delimiter]]]),
    h("div", { class: "form-row" }, field("Kind", kind), field("Bad rows", policy)), mapping,
    h("div", { class: "actions" }, button("Try without changing anything", { icon: "check", onclick: () => send(true) }), apply), outcome,
  ];
}

/**
 * The file's records, line by line as they were, without the columns that are left out and with days as the API takes them. What is
 * no day in its column's format stays as it is: the server names its line. Reads the whole file.
 */
async function rewritten(file, head, names, ways) {
  const kept = names.flatMap((name, index) => (name ? [index] : []));
  const quote = (text) => (/["\n\r]/.test(text) || text.includes(head.delimiter) ? `"${text.replaceAll('"', '""')}"` : text);
  const lines = [kept.map((index) => names[index])];
  for (const record of records(await file.slice(head.bodyStart).text(), head.delimiter)) lines.push(kept.map((index) => (ways[index] && isoDay(record[index] ?? "", ways[index])) || (record[index] ?? "")));
  return new Blob([lines.map((line) => line.map(quote).join(head.delimiter)).join("\n"), "\n"]);
}

/** The records of a CSV text (RFC 4180). */
function* records(text, delimiter) {
  let record = [];
  let value = "";
  let isQuoted = false;
  for (let index = 0; index < text.length; index += 1) {
    const mark = text[index];
    if (isQuoted) {
      if (mark !== '"') value += mark;
      else if (text[index + 1] === '"') { value += '"'; index += 1; } else isQuoted = false;
    } else if (mark === '"') isQuoted = true;
    else if (mark === delimiter) { record.push(value); value = ""; } else if (mark === "\n") {
      record.push(value.replace(/\r$/, ""));
      yield record;
      record = [];
      value = "";
    } else value += mark;
  }
  if (value || record.length > 0) yield [...record, value];
}

function report(data, isTrial) {
  const counts = ["inserted", "updated", "unchanged", "cleared", "rejected"].filter((name) => data[name] !== undefined);
  return h("div", { class: "stack" },
    h("p", {}, badge(isTrial ? "Trial: nothing was changed" : format.words(data.status), data.status === "rejected" ? "bad" : "good"), ` ${format.count(data.rowsRead)} rows read`),
    h("div", { class: "figures" }, counts.map((name) => h("div", { class: "figure" }, h("span", { class: "figure-value" }, format.count(data[name])), h("span", { class: "figure-label" }, format.words(name))))),
    data.errors?.length > 0 && table({
      label: "Bad rows", rows: data.errors,
      columns: [{ title: "Line", kind: "number", cell: (row) => format.count(row.line) }, { title: "Column", cell: (row) => row.column }, { title: "Why", kind: "wide", cell: (row) => row.reason }],
    }),
    data.warnings?.length > 0 && table({
      label: "Warnings", rows: data.warnings,
      columns: [{ title: "Line", kind: "number", cell: (row) => format.count(row.line) }, { title: "Column", cell: (row) => row.column ?? "–" }, { title: "Warning", kind: "wide", cell: (row) => row.reason ?? row.message }],
    }));
}
