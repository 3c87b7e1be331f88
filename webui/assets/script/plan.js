// What a script leads to, before Generate is pressed: how many pictures and models, and what is wrong with a value. The
// server is asked (webui/tabs/drawing/script_plan.py) when the hand rests.

import { planWords } from "../model/grid_plan.js";
import { make, press, setAttribute, setText } from "../page/dom.js";

const RESTS_MS = 350;

export class Plan {
  lists = {}; // by an axis' label what can be chosen
  answer = null; // what the server said last
  asked = ""; // which is of these fields
  number = 0; // of the newest question

  constructor(script) {
    this.script = script;
  }

  // Something in the fields is another value.
  changed() {
    const { script } = this;
    if (!script.chosen) {
      this.answer = null;
      this.asked = "";
      clearTimeout(this.resting);
      return;
    }
    const now = JSON.stringify([script.values, script.tab.page.checkpoints.chosen]);
    if (now === this.asked) return;
    this.asked = now;
    clearTimeout(this.resting);
    this.resting = setTimeout(() => press(script.tab.id("script_ask")), RESTS_MS);
  }

  // What the question is, beside the fields.
  question() {
    this.number += 1;
    const { script } = this;
    const wanted = script.xyz && script.chosen ? script.xyz.wanted(script.current) : [];
    return JSON.stringify({ number: this.number, lists: wanted.filter((label) => !(label in this.lists)) });
  }

  // Models come and go: lists are read anew.
  forget() {
    this.lists = {};
    this.asked = "";
    this.changed();
  }

  told(answer) {
    Object.assign(this.lists, answer.lists || {});
    if (answer.number !== this.number) return; // there is a newer question
    this.answer = answer;
    this.script.render();
  }

  render() {
    const { script, answer } = this;
    const told = script.tab.part("script_count");
    if (!told) return;
    const problem = script.chosen ? answer?.problem : null;
    const open = problem && script.isOpenStill(problem.field); // nobody has come to it: that is told, and marks nothing
    setText(told, open ? problem.message : script.chosen ? planWords(answer, script.tab.state) : "");
    setAttribute(told, "data-tone", problem ? "quiet" : null);
    this.mark(problem?.field?.startsWith("script_args.") && !open ? problem : null);
  }

  // What is wrong stands at its field, and the focus stays where it is.
  mark(problem) {
    const { box } = this.script;
    const home = problem && this.script.homeOf(problem.field);
    for (const old of box.querySelectorAll(".sd-live-problem")) {
      if (old.parentElement !== home) {
        old.parentElement.removeAttribute("data-bad");
        old.remove();
      }
    }
    if (!home) return;
    const words = home.querySelector(".sd-live-problem") || make("p", { class: "sd-live-problem" });
    setText(words, problem.message);
    setAttribute(home, "data-bad", "");
    if (!words.isConnected) home.append(words);
  }
}
