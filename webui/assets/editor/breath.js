// For work that takes long: asked now and then, it lets the page do what else it has to.

const AT_ONCE_MS = 10;

export class Breath {
  since = performance.now();

  // `wanted`: is the work still wanted?
  constructor(wanted = () => true) {
    this.wanted = wanted;
  }

  get due() {
    return performance.now() - this.since > AT_ONCE_MS;
  }

  // Resolves to whether to go on.
  async take() {
    await new Promise((done) => setTimeout(done));
    this.since = performance.now();
    return this.wanted();
  }
}
