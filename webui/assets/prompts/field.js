// A prompt's own field: changes that the browser's undo knows, and where in the window its cursor is.

let replacing = false;

// Is a field being changed by a script, and not by a hand?
export const isReplacing = () => replacing;

// Put text in the place of a part of it; `select` is what is selected then, null: nothing, behind what was put in.
export function replace(field, { from, to, insert, select = null }) {
  field.focus({ preventScroll: true });
  field.setSelectionRange(from, to);
  // What this does can be undone by keys, as nothing else can; it is there in all browsers for text fields.
  replacing = true;
  try {
    if (insert ? !document.execCommand("insertText", false, insert) : from < to && !document.execCommand("delete")) {
      field.setRangeText(insert, from, to, "end");
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
  } finally {
    replacing = false;
  }
  if (select) field.setSelectionRange(select[0], select[1]);
}

const COPIED = ["fontFamily", "fontSize", "fontWeight", "lineHeight", "letterSpacing", "padding", "border", "boxSizing", "width", "textAlign", "direction"];

// The styles with which another element lays out the same text in the same lines.
export function layoutOf(field) {
  const style = getComputedStyle(field);
  return { ...Object.fromEntries(COPIED.map((name) => [name, style[name]])), whiteSpace: "pre-wrap", overflowWrap: "break-word" };
}

// {left, top, height} of a place of the text, in the window.
export function placeOf(field, at) {
  const mirror = document.createElement("div");
  Object.assign(mirror.style, layoutOf(field), { position: "fixed", left: "-9999px", top: "0", visibility: "hidden" });
  const mark = document.createElement("span");
  mark.textContent = "\u200b";
  mirror.append(field.value.slice(0, at), mark);
  document.body.append(mirror);
  const box = field.getBoundingClientRect();
  const height = mark.offsetHeight;
  const place = { left: box.left + mark.offsetLeft - field.scrollLeft, top: box.top + mark.offsetTop - field.scrollTop, height };
  mirror.remove();
  return { ...place, top: Math.min(Math.max(place.top, box.top), box.bottom - height) };
}
