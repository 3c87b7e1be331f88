// To which size the picture is brought that a tab starts from: to the one in the fields, or by a factor. Pure functions.

export const MULTIPLE = 8;
export const LONGEST = 2048; // of a side that is drawn: modules/jobs/kinds/fields.py
const SHORTEST = 64;
const MOST = 4; // times the pixels that suit the model: more take it too long, and it repeats things
const LEAST = 0.25;
const MANY = 2; // what is brought of a picture that has more than MOST

const onGrid = (side) => Math.min(LONGEST, Math.max(SHORTEST, Math.round(side / MULTIPLE) * MULTIPLE));

// By a factor of the picture's own size; sides are multiples of eight.
export const scaled = ({ width, height }, factor) => ({ width: onGrid(width * factor), height: onGrid(height * factor) });

// Which size suits a picture and the model: its own, unless that is far from what the model draws well.
export function suitable({ width, height }, model) {
  const native = (model?.width || 512) * (model?.height || 512);
  const share = (width * height) / native;
  const wanted = share > MOST ? MANY : share < LEAST ? 1 : share;
  const factor = Math.min(Math.sqrt(wanted / share), LONGEST / width, LONGEST / height);
  return scaled({ width, height }, factor);
}

const size = ({ width, height }) => `${width} × ${height}`;
const same = (one, other) => one.width === other.width && one.height === other.height;
const alike = (one, other) => Math.abs(one.width * other.height - other.width * one.height) <= MULTIPLE * Math.max(other.width, one.width);

// What comes of a picture, in words. `how` is A1111's number of the resize mode; `part`: only what is masked is drawn.
export function outcome(picture, drawn, how, part) {
  if (!picture || !drawn.width || !drawn.height) return "";
  if (part) return `What is masked is drawn at ${size(drawn)} and put back into ${size(picture)}.`;
  if (same(picture, drawn)) return `${size(drawn)}, the picture's own size.`;
  if (how === 3) return `${size(picture)} becomes ${size(drawn)}, resized as latents.`;
  if (alike(picture, drawn)) return `${size(picture)} becomes ${size(drawn)}.`;
  const deeds = ["is stretched to", "is cut to the shape of", "is filled up to the shape of"];
  return `${size(picture)} ${deeds[how] || deeds[0]} ${size(drawn)}.`;
}
