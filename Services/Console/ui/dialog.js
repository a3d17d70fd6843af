// Dialogs on the browser's own <dialog>: focus stays inside, Escape closes, what was typed is kept when a save fails.

import { append, h, replace } from "../lib/dom.js";
import { uuid } from "../lib/ids.js";
import { button, failure } from "./controls.js";

/**
 * Opens a dialog with a form.
 *
 * `submit` is called with the dialog and with what gives a body its idempotency key; a Problem that it throws is shown: each field's
 * message at its field (matched by the control's `name`), the rest above the buttons. The dialog closes when `submit` returns. Without a
 * `submitLabel` it only shows; `extra` makes further buttons. What was typed goes by the dialog's own buttons, or after a question.
 *
 * @returns {Promise<any>} what `submit` returned; null when the dialog was closed without.
 */
export function formDialog({ title, note, fields, submitLabel = "Save", submit, danger, wide, extra }) {
  // A second click while the first was still being answered.
  if ([...document.querySelectorAll("dialog[open]")].some((one) => one.getAttribute("aria-label") === title)) return Promise.resolve(null);
  return new Promise((resolve) => {
    let result = null;
    const trouble = h("div", { class: "dialog-trouble" });
    const save = submitLabel !== null && button(submitLabel, { kind: danger ? "danger" : "primary", type: "submit" });
    const more = h("div", { class: "actions dialog-more" });
    const form = h("form", {
      method: "dialog", class: "form", novalidate: true,
      onsubmit: async (event) => {
        event.preventDefault();
        replace(trouble);
        if (!isReadable(fields)) return;
        save.disabled = true;
        try {
          result = (await submit(dialog, once)) ?? true;
          dialog.close();
        } catch (error) {
          showProblem(error, flatten(fields), trouble);
        } finally {
          save.disabled = false;
        }
      },
    }, note && h("p", { class: "note" }, note), fields, trouble,
    h("div", { class: "dialog-actions" }, more, button(save ? "Cancel" : "Close", { onclick: () => dialog.close() }), save));
    const dialog = open(title, form, () => resolve(result), wide);
    const once = keys();
    // What a list of suggestions or a file's choice cancels is not the dialog.
    form.addEventListener("input", () => { dialog.dataset.typed = ""; });
    dialog.addEventListener("cancel", (event) => { if (event.target === dialog && !mayLose(dialog)) event.preventDefault(); });
    if (extra) append(more, [extra(dialog)]);
  });
}

const TYPED = "dialog[data-typed]:not([data-sign-in])";

/** Whether what was typed into the dialog may be lost; asks where there is any. */
function mayLose(dialog) { return !dialog.matches(TYPED) || confirm("Close the form? What you typed is lost."); }

/** Closes what is open on a page that is left. Signing in again belongs to no page. @returns whether the page may be left. */
export function closeAll() {
  const dialogs = [...document.querySelectorAll("dialog[open]:not([data-sign-in])")];
  if (!dialogs.every(mayLose)) return false;
  for (const dialog of dialogs) dialog.close();
  return true;
}

/** Takes everything away that was shown to somebody who is not signed in any more. */
export function clearAll() {
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
  region?.replaceChildren();
}

// The browser asks in words of its own.
addEventListener("beforeunload", (event) => { if (document.querySelector(TYPED)) event.preventDefault(); });

/** Gives each body a key of its own, and the same body the same: what is sent again after a lost answer is not done twice. */
function keys() {
  let last = null;
  return (body) => {
    const text = JSON.stringify(body);
    if (last?.text !== text) last = { text, key: uuid() };
    return last.key;
  };
}

/**
 * Whether the controls hold what was typed: half a date or no number is nothing to them, and would be sent as if the field were empty.
 * Says so at the fields, and takes earlier messages away.
 */
export function isReadable(fields) {
  let first = null;
  for (const entry of flatten(fields)) {
    const { control } = entry;
    const isBad = Boolean(control?.validity?.badInput);
    entry.showError?.(isBad ? `is not a ${control.type === "number" ? "number" : "whole date"}` : null);
    if (isBad) first ??= control;
  }
  first?.focus();
  return first === null;
}

/** Shows each field's message at its field, and what belongs to no field in `trouble`. */
export function showProblem(error, fields, trouble) {
  const rest = [];
  let first = null;
  for (const entry of error.errors ?? []) {
    const target = fields.find((one) => one.control?.name && (entry.field === one.control.name || entry.field.startsWith(`${one.control.name}.`) || entry.field.startsWith(`${one.control.name}[`)));
    if (target) {
      target.showError(entry.message);
      first ??= target.control;
    } else {
      rest.push(entry);
    }
  }
  first?.focus();
  if (!first || rest.length > 0) {
    const shown = Object.assign(new Error(error.message), { errors: rest, requestId: error.requestId });
    replace(trouble, failure(shown));
  }
}

/** The fields, and those that stand in rows of fields. */
const flatten = (fields) => [fields].flat(Infinity).filter(Boolean).flatMap((entry) => [entry, ...entry.querySelectorAll(".field")]);

/** Asks before something that cannot be undone. */
export function confirmDialog(title, text, submitLabel, action) {
  return formDialog({ title, note: text, fields: [], submitLabel, danger: true, submit: action });
}

/** A dialog that only shows. */
export function showDialog(title, content, wide) {
  const dialog = open(title, h("div", { class: "form" }, content, h("div", { class: "dialog-actions" },
    button("Close", { kind: "primary", onclick: () => dialog.close() }))), () => {}, wide);
  return dialog;
}

function open(title, content, closed, wide) {
  const dialog = h("dialog", { class: ["dialog", wide && "dialog-wide"], "aria-label": title },
    h("div", { class: "dialog-head" }, h("h2", {}, title),
      button("Close", { icon: "close", iconOnly: true, kind: "quiet", onclick: () => dialog.close() })), content);
  dialog.addEventListener("close", () => {
    dialog.remove();
    closed();
  });
  document.body.append(dialog);
  dialog.showModal();
  content.querySelector("input:not([readonly]), select, textarea")?.focus();
  return dialog;
}

let region = null;

/** A message that goes by itself; it may offer to undo. */
export function toast(text, { action, tone = "plain" } = {}) {
  if (!region) {
    region = h("div", { class: "toasts", role: "status", "aria-live": "polite" });
    document.body.append(region);
  }
  const remove = () => element.remove();
  const element = h("div", { class: ["toast", `toast-${tone}`] }, h("span", {}, text),
    action && button(action.label, { kind: "quiet", onclick: () => { remove(); action.run(); } }),
    button("Dismiss", { icon: "close", iconOnly: true, kind: "quiet", onclick: remove }));
  region.append(element);
  setTimeout(remove, action ? 12_000 : 6_000);
}
