// A button that has just come, or that does something else than a moment ago, takes no press yet: the second half of a
// double click, or a press that comes a moment too late, was meant for what stood there before.

export const SETTLES_MS = 500;

export class PressGuard {
  known = new Map(); // name -> {meaning, at, before: {meaning, until}}

  // Says what a press of `name` does from now on; "" where it does nothing. What is told first has been so for ever.
  means(name, meaning, now) {
    const one = this.known.get(name);
    if (one?.meaning === meaning) return;
    const before = one?.meaning ? { meaning: one.meaning, until: now } : one?.before || null;
    this.known.set(name, { meaning, at: one ? now : -Infinity, before });
  }

  // Did it change so short a time before `now` that whoever presses it cannot have seen that?
  isFresh(name, now) {
    const one = this.known.get(name);
    return Boolean(one) && now - one.at < SETTLES_MS;
  }

  // Did it do something else a moment ago? (A key that did nothing before is pressed for what it does now.)
  hasTurned(name, now) {
    const one = this.known.get(name);
    return Boolean(one?.before) && one.before.meaning !== one.meaning && now - one.before.until < SETTLES_MS;
  }

  // Whoever asks for a job knows that the one before is over: what `name` did then counts no more.
  forget(name) {
    const one = this.known.get(name);
    if (one) one.before = null;
  }

  // Names that are fresh at `now`, and in how many ms the last of them is not any more.
  fresh(now) {
    const names = [...this.known.keys()].filter((name) => this.isFresh(name, now));
    const last = Math.max(0, ...names.map((name) => this.known.get(name).at + SETTLES_MS - now));
    return { names, last };
  }
}
