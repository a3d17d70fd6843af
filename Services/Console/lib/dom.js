// Building elements. Text only ever enters the page as text nodes, so a hostile name stays a name.

const SVG = "http://www.w3.org/2000/svg";

/**
 * An element with properties and children.
 *
 * `on…` properties are listeners, `class` may be a list, `style` is an object of CSS properties (set through the
 * CSSOM, which the content security policy allows), `dataset` an object, everything else an attribute; `null`,
 * `undefined` and `false` leave an attribute out.
 */
export function h(tag, properties = {}, ...children) {
  return fill(document.createElement(tag), properties, children);
}

/** The same for SVG. */
export function s(tag, properties = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), properties, children);
}

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.setAttribute("class", [value].flat().filter(Boolean).join(" "));
    else if (name === "style") for (const [key, text] of Object.entries(value)) element.style.setProperty(key, text);
    else if (name === "dataset") Object.assign(element.dataset, value);
    else if (name === "value" && "value" in element) element.value = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  append(element, children);
  return element;
}

/** Adds children: nodes, texts, numbers, lists of these; `null` and `false` add nothing. */
export function append(element, children) {
  for (const child of [children].flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : String(child));
  }
  return element;
}

/** Puts new children in the place of the old ones. */
export function replace(element, ...children) {
  element.replaceChildren();
  return append(element, children);
}

/** Saves an answer of the API as a file. */
export async function save(response, name) {
  const anchor = h("a", { href: URL.createObjectURL(await response.blob()), download: name });
  anchor.click();
  // The browser takes the address when it begins to save, which may be after the click.
  setTimeout(() => URL.revokeObjectURL(anchor.href), 60_000);
}

let lastNumber = 0;

/** An id that no other element has. */
export function uniqueId(prefix) {
  lastNumber += 1;
  return `${prefix}-${lastNumber}`;
}

/** Runs `action` once the calls have paused for `milliseconds`. */
export function debounce(action, milliseconds) {
  let timer;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => action(...values), milliseconds);
  };
}
