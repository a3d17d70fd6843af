// A field that finds one of many things by typing, with the keyboard or the pointer (WAI-ARIA combobox with a list box).

import { debounce, h, replace, uniqueId } from "../lib/dom.js";
import { field } from "./controls.js";

/**
 * @param {{placeholder?: string, find: (text: string) => Promise<{id, label, note?}[]>, chosen?: {id, label},
 *   onchoose?: (item|null) => void, name?: string}} options
 * @returns an element whose `choice` is the chosen item or null, and whose `control` is the input.
 */
export function combobox({ placeholder, find, chosen = null, onchoose = () => {}, name }) {
  const listId = uniqueId("list");
  const list = h("ul", { class: "options", id: listId, role: "listbox", hidden: true });
  const control = h("input", {
    class: "input", type: "text", role: "combobox", autocomplete: "off", placeholder, name,
    "aria-expanded": "false", "aria-controls": listId, "aria-autocomplete": "list",
    oninput: () => { choose(null, false); search(); },
    onfocus: () => control.select(),
    onclick: () => search(),
    onblur: () => setTimeout(close, 150),
    onkeydown: key,
  });
  const element = h("div", { class: "combobox" }, control, list);
  element.control = control;
  element.choice = chosen;
  element.setChoice = (item) => choose(item, true);
  if (chosen) control.value = chosen.label;
  let items = [];
  let active = -1;
  let generation = 0;

  const search = debounce(async () => {
    generation += 1;
    const mine = generation;
    let found;
    try { found = await find(element.choice ? "" : control.value.trim()); } catch { found = []; }
    if (mine !== generation || document.activeElement !== control) return;
    items = found;
    active = -1;
    replace(list, items.length === 0 ? h("li", { class: "option option-none" }, "Nothing found") : items.map((item, index) =>
      h("li", {
        class: "option", id: `${listId}-${index}`, role: "option", "aria-selected": "false",
        onpointerdown: (event) => { event.preventDefault(); choose(item, true); close(); },
      }, h("span", {}, item.label), item.note && h("span", { class: "option-note" }, item.note))));
    list.hidden = false;
    control.setAttribute("aria-expanded", "true");
  }, 150);

  function close() {
    list.hidden = true;
    control.setAttribute("aria-expanded", "false");
    control.removeAttribute("aria-activedescendant");
    if (!element.choice && control.value) control.value = "";
  }

  function choose(item, fillIn) {
    const changed = element.choice?.id !== item?.id;
    element.choice = item;
    if (fillIn) control.value = item?.label ?? "";
    if (changed) onchoose(item);
  }

  function key(event) {
    if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      event.stopPropagation();
      return close();
    }
    if (event.key === "Enter" && active >= 0 && !list.hidden) {
      event.preventDefault();
      choose(items[active], true);
      return close();
    }
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    event.preventDefault();
    if (list.hidden) return search();
    if (items.length === 0) return;
    const step = event.key === "ArrowDown" ? 1 : -1;
    active = (active + step + items.length) % items.length;
    for (const [index, option] of [...list.children].entries()) option.setAttribute("aria-selected", String(index === active));
    control.setAttribute("aria-activedescendant", `${listId}-${active}`);
    list.children[active].scrollIntoView({ block: "nearest" });
  }
  return element;
}

/** A labelled combo box. */
export function comboField(label, box, options) {
  const element = field(label, box.control, options);
  element.insertBefore(box, element.children[1]);
  box.prepend(box.control);
  return element;
}
