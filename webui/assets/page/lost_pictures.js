// A picture that could not be loaded leaves no frame (page.css).

export function wireLostPictures() {
  for (const kind of ["error", "load"]) document.addEventListener(kind, mark, true);
}

function mark({ target, type }) {
  if (target instanceof HTMLImageElement) target.toggleAttribute("data-gone", type === "error");
}
