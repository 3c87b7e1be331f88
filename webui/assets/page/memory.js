// What this browser remembers: who it is, what was typed, which colours it likes. Storage may be switched off or full:
// then the page works all the same and forgets.

const OWNER = "steady.owner";

export function read(key, storage = () => localStorage) {
  try {
    return storage().getItem(key);
  } catch {
    return null;
  }
}

export function write(key, value, storage = () => localStorage) {
  try {
    storage().setItem(key, value);
  } catch {
    /* forgotten at the next load, no worse */
  }
}

// crypto.randomUUID needs https or localhost; a page over the local network has neither.
export function randomId() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

let owner = null; // where storage is off: for as long as the page is open

// The id under which this browser's jobs run. Pictures and downloads are asked for by the browser itself, which names it
// in a cookie alone: a guest's are shown to nobody else.
export function readOwner() {
  const known = read(OWNER);
  owner = known || owner || randomId();
  if (!known) write(OWNER, owner);
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is there over https only
  document.cookie = `steady-owner=${owner}; path=/sdapi/v1/jobs/; SameSite=Strict`;
  return owner;
}
