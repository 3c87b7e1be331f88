// What of the picture to start from goes into a request, and what is wrong before anything is sent.

export const SIDES = ["left", "right", "top", "bottom"];
export const NO_PICTURE = "There is no picture to start from: drop one here, or choose a file.";
const NO_MASK = "Nothing is masked: paint over what is to be drawn anew.";
const NO_MARGIN = "The picture does not grow: draw its frame larger, or say by how many pixels.";
const NO_FILES = "There are no pictures in this batch: drop some here, or choose them.";

// What is wrong with a field, before anything is sent.
const wrong = (words, field) => Object.assign(new Error(words), { field });

// By the fields' names. Throws an Error with words, and the `field` at fault.
export async function sentOf(start) {
  const mode = start.modes.chosen;
  const reads = start.tab.page.checkpoints.guidance?.reads; // else what stands in the field is of another model
  const sent = { start_mode: mode, mask: "", ...(reads ? {} : { as_condition: "" }) };
  if (mode === "batch") {
    if (!JSON.parse(start.values.batch_images || "[]").length) throw wrong(NO_FILES, "init_images");
    return sent;
  }
  const { grown, values, modes: { masked } } = start;
  const result = await start.editor.result();
  if (!result) throw wrong(NO_PICTURE, "init_images");
  if (masked && !result.mask && !values.inpainting_mask_invert) throw wrong(NO_MASK, "init_images");
  if (mode === "outpaint" && !grown) throw wrong(NO_MARGIN, "init_images");
  const margins = Object.fromEntries(SIDES.map((side) => [`outpaint_${side}`, String(result.margins[side])]));
  return { ...sent, ...margins, init_images: JSON.stringify([result.picture]), mask: (masked && result.mask) || "" };
}
