// What size a picture comes to have in Extras, as modules/jobs/kinds/ has it. Pure functions of the fields.

export const TO = "Scale to"; // webui/tabs/drawing/rows/upscaling.py

// {width, height} of what becomes of a picture of this size; null where that cannot be told.
export function upscaledSize({ width, height }, fields) {
  const { resize_mode: mode, upscaling_resize: times, upscaling_resize_w: w, upscaling_resize_h: h, upscaling_crop: crop } = fields;
  if (mode !== TO) return times > 0 ? { width: Math.floor(width * times), height: Math.floor(height * times) } : null;
  if (!(w > 0 && h > 0)) return null;
  if (crop) return { width: w, height: h };
  const factor = Math.max(w / width, h / height);
  return { width: Math.max(1, Math.round(width * factor)), height: Math.max(1, Math.round(height * factor)) };
}
