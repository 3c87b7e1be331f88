// What Gradio's listeners call (webui/listeners.py). Each gets the values by name, and of a drawing tab that tab; what it
// returns by name is shown in place of what was there.

import { countsAre } from "./reload.js";

// What Gradio takes for: leave the field as it is.
const STAYS = { __type__: "update" };

const forTabs = {
  restore(tab, fields) {
    const restored = tab.memory.restore(fields, (name) => tab.fields.homeOf(name));
    countsAre({ ...restored, ...Object.fromEntries(tab.memory.filledIn.map((name) => [name, "filled in"])) });
    tab.fields.valuesAre(tab.memory.values, fields);
    // Gradio shows what it is given a moment later: a field that has its value already may be filled in meanwhile.
    const others = Object.entries(restored).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(fields[name]));
    return { ...Object.fromEntries(others), owner: tab.state.owner };
  },
  // A field tells of itself alone, also where several were changed at once.
  remember: (tab, told) => tab.memory.remember(told) && tab.fields.valuesAre(tab.memory.values, told),
  rememberFilledIn: (tab, fields) => tab.memory.filledIn.length > 0 && forTabs.remember(tab, fields),
  beginJob: (tab) => tab.begins(),
  answered: (tab, { answer }) => tab.answered(JSON.parse(answer || "{}")),
  // Why the server refused what a button asked for, as JSON; "" where it did not.
  refused: (tab, { refusal }) => refusal && tab.refused(JSON.parse(refusal).message),
  shownJob: ({ state }) => ({ job: state.shown || "" }),
  interrupting: ({ state }) => ({ job: `${state.pressed?.again ? "again" : "first"} ${state.shown || ""}` }),
  takeFrom: (tab) => ({ taken: tab.takeover.takeFrom() }),
  tookOver: (tab, { taken, ...shown }) => tab.takeover.tookOver(JSON.parse(taken || "{}"), shown),
  takenBack: (tab) => tab.takeover.takenBack(),
  readsFolder: (tab) => tab.start.folder.reads(),
  folderRead: (tab, { folder_answer: answer }) => tab.start.folder.read(JSON.parse(answer || "{}")),
  putInto: (tab) => tab.takePuts(),
  asksScript: (tab) => ({ wanted: tab.fields.script.plan.question() }),
  scriptTold: (tab, { told }) => tab.fields.script.plan.told(JSON.parse(told || "{}")),
  choseSchedule: (tab, { scheduler }) => tab.fields.sampling.choseSchedule(scheduler),
  fitSchedule: (tab, chosen) => ({ scheduler: tab.fields.sampling.fitSchedule(chosen.sampler_name, chosen.scheduler) }),
  adoptDefaults: (tab, { checkpoint, ...suited }) => tab.fields.adoptDefaults(checkpoint, suited),
  swapSides: (_tab, { width, height }) => ({ width: height, height: width }),
  chosenSize: (tab) => tab.fields.size,
  chosenExample: (tab) => ({ prompt: tab.fields.example }),
  randomSeed: () => ({ seed: "-1" }),
  shownSeed: (tab, { seed }) => ({ seed: tab.picture.takeSeed() ?? seed }),
  randomSubseed: () => ({ subseed: "-1" }),
  shownSubseed: (tab, { subseed }) => ({ subseed: tab.picture.takeSeed() ?? subseed }),
};

const forPage = {
  know: (page, { facts, checkpoint }) => page.know(JSON.parse(facts || "{}"), checkpoint),
  choseCheckpoint: (page, { checkpoint }) => page.choseCheckpoint(checkpoint),
  usedModel: ({ models }, { checkpoint }) => ({ checkpoint: models.actions.used ?? checkpoint }),
  settingsRead: ({ settings }, { known, ...shown }) => settings.read(JSON.parse(known || "{}"), shown),
  settingsChanged: ({ settings }, shown) => settings.changed(shown),
  settingsUnsaved: ({ settings }) => ({ unsaved: settings.unsaved() }),
  settingsAnswered: ({ settings }, { answer }) => settings.answered(answer),
};

export function bridge(page) {
  return {
    // Values come in the order of `takes` and go in that of `gives`. What the function does not name stays as it is: the
    // server gets what was given, and of a field that is only shown Gradio is told nothing. A function may take its time.
    call({ name, tab, asks, takes, gives }, values) {
      const given = Object.fromEntries(takes.map((one, i) => [one, values[i]]));
      const inOrder = (told) => gives.map((one) => (told && one in told ? told[one] : asks ? given[one] : STAYS));
      const told = tab ? forTabs[name](page.drawing(tab), given) : forPage[name](page, given);
      return told instanceof Promise ? told.then(inOrder) : inOrder(told);
    },
    state: () => page.state,
  };
}
