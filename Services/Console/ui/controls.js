// Buttons, badges, fields and states: the same component for the same thing on every page.

import { append, h, replace, uniqueId } from "../lib/dom.js";
import { icon } from "./icons.js";

export function button(label, { kind = "plain", icon: name, onclick, type = "button", disabled, title, iconOnly } = {}) {
  return h("button", {
    type, class: ["button", `button-${kind}`, iconOnly && "button-icon"], onclick, disabled, title: title ?? (iconOnly ? label : null),
    "aria-label": iconOnly ? label : null,
  }, name && icon(name), iconOnly ? null : h("span", {}, label));
}

export function linkButton(label, href, { kind = "plain", icon: name } = {}) {
  return h("a", { href, class: ["button", `button-${kind}`] }, name && icon(name), h("span", {}, label));
}

/** A short state: `good`, `warn`, `bad`, `info` or plain. */
export function badge(text, tone = "plain") { return h("span", { class: ["badge", `badge-${tone}`] }, text); }

/** The head of a page: its title, what stands under it, and its actions. */
export function pageHead(title, { note, actions = [], back } = {}) {
  return h("header", { class: "page-head" },
    h("div", {},
      back && h("a", { class: "back", href: back.href }, icon("left"), back.label),
      h("h1", { tabindex: "-1" }, title), note && h("p", { class: "note" }, note)),
    h("div", { class: "actions" }, actions));
}

export function card(title, ...content) {
  return h("section", { class: "card" }, title && h("h2", {}, title), content);
}

/** A card with what can be done about it at the end of its title's line. */
export function actionCard(title, actions, ...content) {
  return h("section", { class: "card" }, h("div", { class: "card-head" }, h("h2", {}, title), h("div", { class: "actions" }, actions)), content);
}

/** A card as wide as the page. */
export function wide(element) {
  element.classList.add("card-wide");
  return element;
}

/** Pairs of a term and what it is. */
export function facts(pairs) {
  return h("dl", { class: "facts" }, pairs.filter(Boolean).map(([term, value]) => [
    h("dt", {}, term), h("dd", {}, value ?? "–"),
  ]));
}

/** One figure with its name. */
export function figure(label, value, note) {
  return h("div", { class: "figure" }, h("span", { class: "figure-value" }, value), h("span", { class: "figure-label" }, label),
    note && h("span", { class: "figure-note" }, note));
}

/** What stands where there is nothing yet: the first step. */
export function empty(title, text, action) {
  return h("div", { class: "empty" }, h("p", { class: "empty-title" }, title), text && h("p", {}, text), action);
}

export function loading(text = "Loading") {
  return h("div", { class: "loading", role: "status" }, h("span", { class: "spinner", "aria-hidden": "true" }), text);
}

/** What went wrong, what to do, and a way to try again. */
export function failure(error, retry) {
  return h("div", { class: "failure", role: "alert" }, icon("warning"),
    h("div", {}, h("p", {}, error.message),
      error.errors?.length > 0 && h("ul", {}, error.errors.map((entry) => h("li", {}, `${entry.field}: ${entry.message}`))),
      error.requestId && h("p", { class: "note" }, `Request ${error.requestId}`)),
    retry && button("Try again", { onclick: retry }));
}

/**
 * A place that shows what a promise gives: a wait, then the content, or the failure with a way to try again.
 *
 * @param {() => Promise<Node|Node[]>} load
 */
export function later(load, wait = "Loading") {
  const place = h("div", { class: "later" });
  const run = async () => {
    replace(place, loading(wait));
    try {
      replace(place, await load());
    } catch (error) {
      if (error.name !== "AbortError") replace(place, failure(error, run));
    }
  };
  run();
  return place;
}

/** A labelled control. The message of a bad value stands under it and is read out with it. */
export function field(label, control, { hint, name } = {}) {
  const id = control.id || uniqueId("field");
  control.id = id;
  if (name) control.name = name;
  const message = h("p", { class: "field-error", id: `${id}-error`, hidden: true });
  const note = hint && h("p", { class: "field-hint", id: `${id}-hint` }, hint);
  control.setAttribute("aria-describedby", [hint && `${id}-hint`, `${id}-error`].filter(Boolean).join(" "));
  const element = h("div", { class: "field" }, h("label", { for: id }, label), control, note, message);
  element.showError = (text) => {
    message.textContent = text ?? "";
    message.hidden = !text;
    if (text) control.setAttribute("aria-invalid", "true"); else control.removeAttribute("aria-invalid");
  };
  element.control = control;
  return element;
}

export const input = (properties = {}) => h("input", { class: "input", autocomplete: "off", ...properties });

export function select(options, value, properties = {}) {
  const element = h("select", { class: "input", ...properties }, options.map((option) => {
    const [key, label] = Array.isArray(option) ? option : [option, option];
    return h("option", { value: key, selected: key === value }, label);
  }));
  if (value !== undefined) element.value = value;
  return element;
}

export function checkbox(label, checked, { onchange, name } = {}) {
  const control = h("input", { type: "checkbox", onchange, name });
  control.checked = Boolean(checked);
  // Not the label itself: a label has a read-only `control` of its own.
  return Object.assign(h("div", { class: "check" }, h("label", {}, control, h("span", {}, label))), { control });
}

/** A row of choices of which one holds, such as Day, Week and Month. */
export function segmented(label, options, value, onchange) {
  const name = uniqueId("choice");
  return h("fieldset", { class: "segmented" }, h("legend", { class: "visually-hidden" }, label),
    options.map(([key, text]) => {
      const control = h("input", { type: "radio", name, value: key, onchange: () => onchange(key) });
      control.checked = key === value;
      return h("label", {}, control, h("span", {}, text));
    }));
}

export function tabs(label, entries, current) {
  const element = h("nav", { class: "tabs", "aria-label": label }, entries.map(([name, href]) =>
    h("a", { href, "aria-current": name === current ? "page" : null }, name)));
  // On a narrow screen the row of tabs is longer than the screen: the one that holds is in sight.
  requestAnimationFrame(() => requestAnimationFrame(() => {
    const here = element.querySelector("[aria-current]");
    if (here) element.scrollLeft = here.offsetLeft - element.offsetLeft - (element.clientWidth - here.offsetWidth) / 2;
  }));
  return element;
}

export { append };
