// Which statuses of a job belong together, as modules/jobs/rows.py has them: tests/webui/test_same_facts.py compares.

export const UNFINISHED = ["queued", "running", "paused"];
export const TERMINAL = ["done", "interrupted", "failed", "quarantined"];
export const FAILED = ["failed", "quarantined"];
export const RETRIED = ["interrupted", "failed", "quarantined"];
