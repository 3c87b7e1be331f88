// The few lines that every part of the page needs.

export const byId = (id) => document.getElementById(id);

export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children);
  return element;
}

// Lines that may be too long for the page: the box scrolls, also by keyboard.
export const logBox = (lines) => make("pre", { tabindex: 0, "aria-label": "Log" }, lines.join("\n"));

export function setText(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

// Gradio owns its buttons' nodes: only the text in them is changed, no node is replaced.
export function setLabel(button, text) {
  const node = Array.from(button?.childNodes || []).find((child) => child.nodeType === 3 && child.nodeValue.trim());
  if (node && node.nodeValue !== text) node.nodeValue = text;
}

export function setAttribute(element, name, value) {
  if (!element) return;
  if (value === null || value === false) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

export const press = (id) => byId(id)?.click();

// Gradio puts the parts of a tab in place when it is opened for the first time. Resolves to the part.
export function whenThere(id) {
  if (byId(id)) return Promise.resolve(byId(id));
  return new Promise((done) => {
    const watch = new MutationObserver(() => {
      if (!byId(id)) return;
      watch.disconnect();
      done(byId(id));
    });
    watch.observe(document.body, { childList: true, subtree: true });
  });
}

export function pressWhenThere(id) {
  if (byId(id)) press(id);
  else whenThere(id).then((button) => button.click());
}

export const visible = (element) => Boolean(element && element.offsetParent !== null);

// How the page moves for this reader.
/** @returns {ScrollBehavior} */
export const scrolling = () => (matchMedia("(prefers-reduced-motion: reduce)").matches ? "instant" : "smooth");
