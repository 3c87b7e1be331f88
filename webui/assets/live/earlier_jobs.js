// This owner's jobs of before the page was opened, as many as the strip has room for. Read once, beside the live stream,
// which tells of one job at a time.

import { TERMINAL } from "../model/statuses.js";
import { PLACES_SHOWN } from "../model/strip_places.js";
import { ask } from "./rest.js";

const JOBS_AT_ONCE = 16;

export class EarlierJobs {
  stale = true;

  constructor(model) {
    this.model = model;
  }

  // A message of the stream: after a reset what was known is of another database.
  hear(message) {
    if (message.type === "reset") this.stale = true;
  }

  async read() {
    const { owner, standing } = this.model.state;
    if (!this.stale || standing !== "open") return;
    this.stale = false;
    try {
      let pictures = 0;
      for (let offset = 0; offset < PLACES_SHOWN && pictures < PLACES_SHOWN; offset += JOBS_AT_ONCE) {
        const jobs = await finished(owner, offset);
        this.model.dispatch({ type: "earlier", jobs });
        pictures += jobs.reduce((sum, job) => sum + job.outputs.length, 0);
        if (jobs.length < JOBS_AT_ONCE) return;
      }
    } catch {
      this.stale = true; // asked again when the page is drawn next
    }
  }
}

async function finished(owner, offset) {
  const query = `status=${TERMINAL}&owner=${encodeURIComponent(owner)}`;
  return (await ask("GET", `/sdapi/v1/jobs?${query}&limit=${JOBS_AT_ONCE}&offset=${offset}`)).jobs;
}
