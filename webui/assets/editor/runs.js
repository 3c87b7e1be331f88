// Pixels of a tile as runs: what is painted has few colours side by side, so some KB stand for 256 KB.
//
// A word with the highest bit set is followed by one pixel that is repeated so many times; one without is followed by
// that many pixels as they are. Pixels are words of RGBA as ImageData has them.

const REPEATED = 0x80000000;
const SHORT = 3; // repetitions of fewer pixels cost more than they save

// Returns the runs of `pixels` (Uint32Array).
export function encode(pixels) {
  const runs = new Uint32Array(pixels.length * 2 + 2);
  const { length } = pixels;
  let size = 0;
  let plain = 0; // the first pixel that no run holds yet
  for (let at = 0; at < length; ) {
    const pixel = pixels[at];
    let end = at + 1;
    while (end < length && pixels[end] === pixel) end += 1;
    if (end - at >= SHORT || (end === length && plain === at)) {
      size = putPlain(runs, size, pixels, plain, at);
      runs[size] = REPEATED + (end - at);
      runs[size + 1] = pixel;
      size += 2;
      plain = end;
    }
    at = end;
  }
  return runs.slice(0, putPlain(runs, size, pixels, plain, length));
}

function putPlain(runs, size, pixels, from, to) {
  if (from === to) return size;
  runs[size] = to - from;
  runs.set(pixels.subarray(from, to), size + 1);
  return size + 1 + to - from;
}

// Writes the pixels of `runs` into `pixels`; what is missing stays as it is.
export function decode(runs, pixels) {
  let to = 0;
  for (let at = 0; at < runs.length; ) {
    const word = runs[at];
    if (word >= REPEATED) {
      const end = to + (word - REPEATED);
      pixels.fill(runs[at + 1], to, end);
      to = end;
      at += 2;
    } else {
      pixels.set(runs.subarray(at + 1, at + 1 + word), to);
      to += word;
      at += 1 + word;
    }
  }
  return pixels;
}

// The runs of so many pixels of one colour.
export const uniform = (pixel, count) => new Uint32Array([REPEATED + count, pixel]);

// The pixel that all of a tile has, null where there are several.
export const onlyPixel = (runs) => (runs.length === 2 && runs[0] >= REPEATED ? runs[1] : null);

export const same = (a, b) => a === b || (Boolean(a && b) && a.length === b.length && a.every((word, i) => word === b[i]));

// A number of 53 bits that stands for the runs (FNV-1a on two halves): equal contents have equal numbers.
export function numberOf(runs, seed = 0) {
  let low = 0x811c9dc5 ^ seed;
  let high = 0x01000193 ^ seed;
  for (const word of runs) {
    low = Math.imul(low ^ word, 0x01000193);
    high = Math.imul(high ^ (word >>> 16) ^ (word << 16), 0x85ebca6b);
  }
  return (high & 0x1fffff) * 0x100000000 + (low >>> 0);
}
