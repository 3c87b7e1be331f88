// One WebSocket a tab, which comes back by itself. It knows of no job: it hands messages on and says how it stands.

const WAITS_MS = [0, 250, 500, 1000, 2000];
const PILL_AFTER_MS = 1000;
const LOST_AFTER_MS = 5000;
const SILENCE_MS = 12000;
const FIRST_WORD_MS = 10000; // a connection that says nothing for so long is none

export class Connection {
  // `onMessage(message)` for each message; `onStanding("open" | "quiet" | "reconnecting" | "lost")` when that changes.
  constructor(owner, onMessage, onStanding) {
    this.owner = owner;
    this.onMessage = onMessage;
    this.onStanding = onStanding;
    this.standing = "quiet";
    this.after = null;
    this.tries = 0;
    this.since = performance.now();
    this.heard = performance.now();
    this.timer = null;
    addEventListener("online", () => this.hurry());
    document.addEventListener("visibilitychange", () => document.hidden || this.hurry());
    setInterval(() => this.watch(), 500);
    this.open();
  }

  open() {
    clearTimeout(this.timer);
    this.timer = null;
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const after = this.after === null ? "" : `&after=${this.after}`;
    const socket = new WebSocket(`${scheme}//${location.host}/steady/live?owner=${this.owner}${after}`);
    this.socket = socket;
    this.heard = performance.now();
    socket.onmessage = (event) => {
      if (this.socket === socket) this.hear(JSON.parse(event.data));
    };
    socket.onclose = (event) => {
      if (this.socket === socket) this.closed(event.code === 1012);
    };
  }

  hear(message) {
    this.heard = performance.now();
    if (message.type === "snapshot") {
      this.tries = 0;
      this.after = message.replay ?? message.events; // what was missed since then follows, each with its number
      this.stand("open");
    } else if (message.type === "event") {
      this.after = Math.max(this.after ?? 0, message.number);
    } else if (message.type === "leaving") {
      this.closed(true); // the server is being replaced: its heir listens already
      return;
    }
    this.onMessage(message);
  }

  closed(leaving) {
    const old = this.socket;
    this.socket = null;
    old?.close();
    if (this.standing === "open") {
      this.since = performance.now();
      this.stand("quiet");
    }
    if (this.tries > 1) this.askIn();
    const wait = leaving && this.tries === 0 ? 0 : WAITS_MS[Math.min(this.tries, WAITS_MS.length - 1)];
    this.tries += 1;
    this.timer = setTimeout(() => this.open(), wait * (0.8 + 0.4 * Math.random()));
  }

  // The network or the window came back: try now instead of at the next turn.
  hurry() {
    if (this.timer) this.open();
  }

  watch() {
    if (this.standing !== "open") {
      const away = performance.now() - this.since;
      this.stand(away > LOST_AFTER_MS ? "lost" : away > PILL_AFTER_MS ? "reconnecting" : "quiet");
      if (this.socket && performance.now() - this.heard > FIRST_WORD_MS) this.closed(false);
    } else if (!document.hidden && performance.now() - this.heard > SILENCE_MS) {
      this.heard = performance.now();
      this.ask();
    }
  }

  // Nothing was heard for long. An idle server is silent too, so ask it; a dead network does not answer.
  async ask() {
    const socket = this.socket;
    try {
      await fetch("/internal/ping", { cache: "no-store", signal: AbortSignal.timeout(4000) });
    } catch {
      if (this.socket === socket && socket) this.closed(false);
    }
  }

  // A WebSocket does not say why it was refused. Who was logged out finds the login page instead.
  async askIn() {
    try {
      const answer = await fetch("/login", { cache: "no-store", headers: { accept: "application/json" } });
      if (answer.ok && !answer.redirected && (await answer.json()).user === null) location.reload();
    } catch {
      /* no server, or none that asks: the next try tells */
    }
  }

  stand(standing) {
    if (standing === this.standing) return;
    this.standing = standing;
    this.onStanding(standing);
  }
}
