// What a prompt's text says and becomes: pure functions of a text and places in it.

const STEP = 0.1;
const TAG_STEP = 0.05;
const LARGEST = 10;
const DELIMITERS = /[.,\\/!?%^*;:{}=`~()[\]<>|\s]/;
const NUMBER = "[+-]?(?:[0-9]+\\.?[0-9]*|\\.[0-9]+)";
const TAG = new RegExp(`<\\w+:[^<>:]+:(${NUMBER})`, "g");
const WEIGHTED = new RegExp(`^\\((.*):(${NUMBER})\\)$`, "s");

// What is being typed at a place: {kind, text, from}, as /sdapi/v1/prompt-suggestions asks for it; null: nothing that has a name.
export function typedAt(text, place) {
  const before = text.slice(0, place);
  const tag = /<(?:lora:|lyco:|[a-z]{0,4})([^<>:\n]{0,80})$/i.exec(before);
  if (tag && "lora:".startsWith(before.slice(tag.index + 1, tag.index + 6).toLowerCase().slice(0, 5))) return { kind: "lora", text: tag[0].includes(":") ? tag[1] : "", from: tag.index };
  const wildcard = /__([^\s_,(){}|]?(?:[^\s,(){}|]*[^\s_,(){}|])?)$/.exec(before);
  if (wildcard && (before.slice(0, wildcard.index).split("__").length - 1) % 2 === 0) return { kind: "wildcard", text: wildcard[1], from: wildcard.index };
  const word = /[^,([{|:<>\n)\]}]{2,80}$/.exec(before)?.[0].trimStart();
  return word?.length > 1 ? { kind: "word", text: word, from: place - word.length } : null;
}

// A text with `insert` in the place of what was typed; a tag that ends the text is followed by a comma.
export function completed({ kind, insert }, from, to, text) {
  const ends = !text.slice(to).trim() && kind === "tag";
  return { from, to, insert: ends ? `${insert}, ` : insert };
}

// A change of the weight of what is selected, or of the word or tag that the place is in: {from, to, insert, select}; null: there is none.
export function reweighed(text, start, end, direction) {
  for (const tag of text.matchAll(TAG)) {
    if (tag.index > start || closed(text, tag.index) < end) continue;
    const from = tag.index + tag[0].length - tag[1].length;
    const insert = shown(Number(tag[1]) + direction * TAG_STEP);
    return { from, to: from + tag[1].length, insert, select: [start, end + insert.length - tag[1].length].sort((one, other) => one - other) };
  }
  const [from, to] = enclosing(text, start, end) || chosen(text, start, end);
  if (from >= to) return null;
  const whole = text.slice(from, to);
  const [, inner, weight] = WEIGHTED.exec(whole) || [null, whole, "1"];
  const next = shown(Number(weight) + direction * STEP);
  if (Number(next) === 1) return { from, to, insert: inner, select: [from, from + inner.length] };
  return { from, to, insert: `(${inner}:${next})`, select: [from + 1, from + 1 + inner.length] };
}

const shown = (weight) => String(Math.round(Math.min(LARGEST, Math.max(-LARGEST, weight)) * 100) / 100);

const closed = (text, from) => {
  const end = text.indexOf(">", from);
  return end < 0 ? text.length : end;
};

// The innermost brackets with a weight around a place.
function enclosing(text, start, end) {
  let depth = 0;
  for (let at = start - 1; at >= 0; at -= 1) {
    if (text[at - 1] === "\\") continue;
    if (text[at] === ")") depth += 1;
    else if (text[at] === "(" && depth > 0) depth -= 1;
    else if (text[at] === "(") {
      const close = closing(text, at);
      return close >= end && WEIGHTED.test(text.slice(at, close + 1)) ? [at, close + 1] : null;
    }
  }
  return null;
}

function closing(text, open) {
  let depth = 0;
  for (let at = open; at < text.length; at += 1) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === "(") depth += 1;
    else if (text[at] === ")" && --depth === 0) return at;
  }
  return -1;
}

// What is selected without the spaces around it, or the word that a place is in.
function chosen(text, start, end) {
  let [from, to] = [start, end];
  if (from === to) {
    while (from > 0 && !DELIMITERS.test(text[from - 1])) from -= 1;
    while (to < text.length && !DELIMITERS.test(text[to])) to += 1;
    return [from, to];
  }
  while (from < to && /\s/.test(text[from])) from += 1;
  while (to > from && /\s/.test(text[to - 1])) to -= 1;
  return [from, to];
}

const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

// Where a network is called in a prompt: [from, to] with its trigger words if they follow; null: nowhere.
export function callOf({ kind, call, insert }, text) {
  if (kind === "embedding") {
    const found = new RegExp(`(^|[^\\w-])(${escaped(call)})(?![\\w-])`, "i").exec(text);
    return found && [found.index + found[1].length, found.index + found[0].length];
  }
  const found = new RegExp(`<(?:lora|lyco):${escaped(call)}(?::[^<>]*)?>`, "i").exec(text);
  if (!found) return null;
  const trigger = insert.slice(insert.indexOf(">") + 1);
  const end = found.index + found[0].length;
  return [found.index, trigger && text.startsWith(trigger, end) ? end + trigger.length : end];
}

// A network taken out: with the comma and the spaces that would stand alone then.
function without(from, to, text) {
  const [before, after] = [text.slice(0, from), text.slice(to)];
  if (/^\s*(,|$)/.test(after)) return { from: from - /(?:,?\s*)$/.exec(before)[0].length, to, insert: "" };
  const spaces = /(^|\s)$/.test(before) ? /^\s*/.exec(after)[0].length : 0;
  return { from, to: to + spaces, insert: "" };
}

// A click on a card: the network is put in at the place, or taken out.
export function toggled(card, text, place) {
  const there = callOf(card, text);
  if (there) return without(there[0], there[1], text);
  const before = text.slice(0, place);
  const apart = !before.trim() || /[\s,(]$/.test(before) ? "" : card.kind === "embedding" ? ", " : " ";
  const after = !/^[^\s,)]/.test(text.slice(place)) ? "" : card.kind === "embedding" ? ", " : " ";
  return { from: place, to: place, insert: `${apart}${card.insert}${after}` };
}
