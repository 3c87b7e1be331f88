// What the server's answers hold at most, as it knows it: tests/webui/test_same_facts.py compares.

export const JOBS_LISTED = 1000; // rows of one list
export const QUEUED_TOLD = 200; // waiting jobs in a message
export const PROMPTS_LONGEST = 100000; // characters of a list of prompts
