// How many jobs of this browser are paused. The live stream tells of one job at a time, so the number is asked for when
// a job was paused or left that state.

import { ask } from "./rest.js";

export class PausedJobs {
  stale = true;
  reading = false;

  constructor(model) {
    this.model = model;
  }

  // A message of the stream, before the page has taken it in.
  hear(message) {
    const paused = message.job?.status === "paused";
    const knows = message.type === "event" && message.kind !== "image" && this.model.state.ownPaused > 0;
    if (message.type === "snapshot" || paused || knows) this.stale = true;
  }

  async read() {
    const { owner, standing } = this.model.state;
    if (!this.stale || this.reading || standing !== "open") return;
    this.reading = true;
    this.stale = false;
    try {
      const { total } = await ask("GET", `/sdapi/v1/jobs?status=paused&limit=0&owner=${encodeURIComponent(owner)}`);
      if (total !== this.model.state.ownPaused) this.model.dispatch({ type: "own-paused", count: total });
    } catch {
      this.stale = true; // asked again at the next message
    } finally {
      this.reading = false;
    }
  }
}
