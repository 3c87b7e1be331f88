// The second pass of hires fix: what size it leads to, as modules/jobs/kinds/sizes.py has it (tests/e2e/test_page_model.py
// compares). Pure functions of the fields.

const MULTIPLE = 8; // sides are multiples of it

/**
 * {width, height}: what the fields lead to, null where that cannot be told.
 * @param {Record<string, any>} fields
 */
export function hiresSize({ width, height, hr_scale: scale, hr_resize_x: x, hr_resize_y: y }) {
  if (!(width > 0 && height > 0)) return null;
  const [across, down] = [Number(x) || 0, Number(y) || 0];
  if (!across && !down && !(scale > 0)) return null;
  const wide = across || (down ? (down * width) / height : width * scale);
  const high = down || (across ? (across * height) / width : height * scale);
  return { width: onGrid(wide), height: onGrid(high) };
}

const onGrid = (side) => Math.floor(Math.floor(side) / MULTIPLE) * MULTIPLE;
