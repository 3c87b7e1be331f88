// The pictures of a work on the server: each content is sent once, ahead of time, and asked for when a job is made.

const TRUSTED_MS = 6 * 3600 * 1000; // the server keeps an input that no job names for a day
const MOST_KNOWN = 60;

export class Uploads {
  known = new Map(); // what its content is called here -> {input, at}: what the server has
  going = new Map(); // the same -> the promise of an input that is on its way

  constructor(send, changed) {
    this.send = send;
    this.changed = changed; // told when one begins and when one has ended
  }

  get busy() {
    return this.going.size > 0;
  }

  has(content) {
    const one = this.known.get(content);
    return Boolean(one) && Date.now() - one.at < TRUSTED_MS;
  }

  // Resolves to the input of this content; `make` gives its bytes where they have to be sent.
  input(content, make) {
    if (this.has(content)) return Promise.resolve(this.known.get(content).input);
    const going = this.going.get(content);
    if (going) return going;
    const sent = this.sendOne(content, make).finally(() => {
      this.going.delete(content);
      this.changed();
    });
    this.going.set(content, sent);
    this.changed();
    return sent;
  }

  async sendOne(content, make) {
    const input = await this.send(await make());
    this.known.delete(content);
    this.known.set(content, { input, at: Date.now() });
    if (this.known.size > MOST_KNOWN) this.known.delete(this.known.keys().next().value);
    return input;
  }

  forget() {
    this.known.clear();
  }
}
