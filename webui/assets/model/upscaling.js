// What size a picture comes to have in Extras, as modules/jobs/kinds/extras_values.py has it (tests/e2e/test_page_model.py
// compares). Pure functions of the fields.

const NONE = "None"; // no upscaler: sizes stay
export const TO = "Scale to"; // webui/tabs/drawing/rows/upscaling.py

// {width, height} of what becomes of a picture of this size; null where that cannot be told.
export function upscaledSize({ width, height }, fields) {
  if (!upscalersOf(fields).length) return { width, height };
  const { resize_mode: mode, upscaling_resize: times, upscaling_resize_w: w, upscaling_resize_h: h, upscaling_crop: crop } = fields;
  if (mode !== TO) return times > 0 ? { width: Math.floor(width * times), height: Math.floor(height * times) } : null;
  if (!(w > 0 && h > 0)) return null;
  if (crop) return { width: w, height: h };
  const factor = Math.max(w / width, h / height);
  return { width: Math.max(w, Math.round(width * factor)), height: Math.max(h, Math.round(height * factor)) };
}

// The names of those that have a part in it, of a request or of the fields.
export function upscalersOf({ upscaler_1: first, upscaler_2: second, extras_upscaler_2_visibility: visibility }) {
  return [first, visibility > 0 ? second : NONE].filter((name) => name && name !== NONE);
}
