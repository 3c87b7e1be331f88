// What the page knows of the checkpoints and samplers (webui/checkpoint_facts.py), and which checkpoint is chosen.

export class Checkpoints {
  facts = {}; // by the checkpoint's name: title, native size, defaults, sizes, examples
  schedules = {}; // by the sampler's name: the schedule types that go with it
  kinds = {}; // by what models have in common: what is said of their guidance
  strays = { of: {}, euler: 0, steps: 0 }; // with flow models: by sampler and schedule type, in percent
  chosen = null;

  get model() {
    return this.facts[this.chosen] || null;
  }

  // What is said of the chosen one's guidance.
  get guidance() {
    return this.kinds[this.model?.guidance] || null;
  }

  // What suits many checkpoints alike is told once: each has its place in `suits`.
  know({ checkpoints, suits, schedules, guidance, strays }) {
    const whole = ([name, own]) => [name, { ...suits[own.suits], ...own }];
    this.facts = Object.fromEntries(Object.entries(checkpoints || {}).map(whole));
    this.schedules = schedules || {};
    this.kinds = guidance || {};
    this.strays = strays || this.strays;
  }
}
