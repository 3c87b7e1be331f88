// The page's own requests to the REST API. Each says whose browser asks, for the list of who did what.

import { readOwner } from "../page/memory.js";

const TRIES = 40; // with the pause between them: longer than any swap of the server takes
const AGAIN_MS = 500;
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

// What a server that is being replaced (503) or gone for a moment did not hear is sent again: all that is asked here is
// the same when asked twice. Returns what the server answered; throws an Error with its words, and its
// `status`, when it refused.
export async function ask(method, path, body = undefined) {
  /** @type {Record<string, string>} */
  const headers = { "X-Steady-Owner": readOwner() };
  const raw = body instanceof Blob; // its bytes as they are
  if (body !== undefined) headers["Content-Type"] = raw ? body.type || "application/octet-stream" : "application/json";
  /** @type {RequestInit} */
  const init = { method, headers, cache: "no-store", body: body === undefined || raw ? body : JSON.stringify(body) };
  for (let tries = 1; ; tries += 1) {
    try {
      const answer = await fetch(path, init);
      if (answer.status !== 503 || tries >= TRIES) return await understood(answer);
    } catch (error) {
      if (!(error instanceof TypeError) || tries >= TRIES) throw error; // a TypeError is fetch's "no connection"
    }
    await sleep(AGAIN_MS);
  }
}

async function understood(answer) {
  if (answer.status === 401) location.reload(); // logged out meanwhile: the way in is the login page
  const content = await answer.json().catch(() => ({}));
  if (answer.ok) return content;
  throw Object.assign(new Error(content.errors || `The server answered ${answer.status}.`), { status: answer.status });
}

export const jobPath = (id) => `/sdapi/v1/jobs/${encodeURIComponent(id)}`;
