// What a finished picture was made from: the picture that it can be compared with. Pure functions of what is known.

// {source, fit, frame}: the text that names the picture before (live/inputs.js), how it fills the picture's place, and
// which part of that it stood in, in shares of its sides; null where there was none.
export function beforeOf(job, output) {
  const request = { ...job?.request, ...(job?.resolved || {}) };
  const source = sourceOf(request, output?.index ?? 0);
  if (!job || !output || typeof source !== "string" || !source) return null;
  return { source, fit: fitOf(job.kind, request), frame: frameOf(request, output) };
}

function sourceOf({ firstpass_image: first, init_images: inits, images, imageList, image }, index) {
  const list = [inits, images, imageList].find((one) => Array.isArray(one) && one.length);
  return first || (list ? list[index % list.length] : image);
}

const FITS = ["fill", "cover", "contain", "fill"]; // of A1111's resize modes: stretched, cut, filled up, stretched

function fitOf(kind, request) {
  if (kind === "img2img") return FITS[request.resize_mode] || "fill";
  return "cover";
}

// Where the picture before stood in one that grew on its sides.
function frameOf(request, { width, height }) {
  const [left, right, top, bottom] = ["left", "right", "top", "bottom"].map((side) => Number(request[`outpaint_${side}`]) || 0);
  if (!(left || right || top || bottom)) return null;
  return { left: left / width, top: top / height, width: (width - left - right) / width, height: (height - top - bottom) / height };
}
