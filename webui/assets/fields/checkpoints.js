// What the page knows of the checkpoints and samplers (webui/checkpoint_facts.py), and which checkpoint is chosen.

export class Checkpoints {
  facts = {}; // by the checkpoint's name: title, native size, defaults, sizes, examples
  schedules = {}; // by the sampler's name: the schedule types that go with it
  chosen = null;

  get model() {
    return this.facts[this.chosen] || null;
  }

  know(checkpoints, schedules) {
    this.facts = checkpoints;
    this.schedules = schedules;
  }
}
