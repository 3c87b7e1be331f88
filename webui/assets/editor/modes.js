// What an editor is for at the moment, and which tools and commands that has.

// layer: the one that is edited, shown and given out. masks: what is painted is the mask. paints: colours go into the picture.
export const MODES = {
  view: { layer: null, masks: false, paints: false, tools: ["move"] },
  sketch: { layer: "paint", masks: false, paints: true, tools: ["brush", "erase", "pick", "move"] },
  mask: { layer: "mask", masks: true, paints: false, tools: ["brush", "erase", "alike", "move"] },
  "mask+colour": { layer: "paint", masks: true, paints: true, tools: ["brush", "erase", "alike", "pick", "move"] },
};

export const TOOLS = {
  brush: { label: "Brush", key: "B" },
  erase: { label: "Eraser", key: "E" },
  alike: { label: "All that has a colour", key: "W" },
  pick: { label: "Pick a colour from the picture", key: "I" },
  move: { label: "Move the picture", key: "H" },
};

export const DRAWS = ["brush", "erase"];

// What a press does by itself: `do(editor)`; `when(editor)`: is there anything to do? `keys`: as the tooltip says them.
export const COMMANDS = {
  undo: { label: "Undo", keys: "Ctrl+Z", do: ({ painting }) => painting.undo(), when: ({ painting }) => painting.canUndo },
  redo: { label: "Redo", keys: "Ctrl+Y", do: ({ painting }) => painting.redo(), when: ({ painting }) => painting.canRedo },
  larger: { label: "Larger brush", keys: "]", do: (editor) => editor.settings.resize(1) },
  smaller: { label: "Smaller brush", keys: "[", do: (editor) => editor.settings.resize(-1) },
  in: { label: "Zoom in", keys: "+", do: (editor) => editor.zoom(1) },
  out: { label: "Zoom out", keys: "−", do: (editor) => editor.zoom(-1) },
  fit: { label: "See all of it", keys: "0", do: ({ view }) => view.fit() },
  whole: { label: "One pixel for a pixel", keys: "1", do: ({ view }) => view.zoomTo(1 / (devicePixelRatio || 1)) },
  full: { label: "Whole window", keys: "S", do: ({ full }) => full.toggle() },
  fill: { label: "Fill", do: ({ painting }) => painting.fill() },
  clear: { label: "Clear", do: ({ painting }) => painting.clear(), when: ({ painting }) => !painting.empty },
  invert: { label: "Invert the mask", do: ({ painting }) => painting.invert() },
  mask: { label: "Mask from a file …", do: ({ sources }) => sources.choose("mask") },
  pressure: { label: "Pen: width by pressure", do: ({ settings }) => settings.set("pressure", !settings.pressure) },
  open: { label: "Open another picture …", do: ({ sources }) => sources.choose("picture") },
  remove: { label: "Remove the picture", do: (editor) => editor.remove() },
  back: { label: "Bring it back", do: ({ opening }) => opening.bringBack() },
  unframe: { label: "No frame", do: (editor) => editor.setMargins({}), when: ({ edges }) => edges.drawn },
};

// The commands of the menu, by what the mode is.
export function menuOf({ masks, paints, layer }) {
  const ofMask = masks && !paints ? ["invert", "mask"] : [];
  return [...(layer ? ["fill", "clear", ...ofMask, "pressure"] : []), "open", "remove"];
}

// A key alone, or, where it begins with "Ctrl+", with Ctrl or Cmd.
export const KEYS = {
  "Ctrl+z": "undo",
  "Ctrl+Z": "redo",
  "Ctrl+y": "redo",
  "]": "larger",
  "[": "smaller",
  "+": "in",
  "=": "in",
  "-": "out",
  0: "fit",
  r: "fit",
  1: "whole",
  s: "full",
};
