// The scripts that a tab can draw with, and the arguments of each with what they are at first, by A1111's names
// (modules/jobs/kinds/grid/; tests/webui/test_same_facts.py compares).

export const XYZ = "X/Y/Z plot";
export const MATRIX = "Prompt matrix";
export const PROMPTS = "Prompts from file or textbox";
export const TITLES = [XYZ, MATRIX, PROMPTS];
export const NONE = "None"; // of the list of scripts
export const NOTHING = "Nothing"; // of the list of axes

const MARGIN = { name: "margin_size", label: "Margin, pixels", value: 0, most: 500 };

export const AXES = ["x", "y", "z"];
const VARIES = AXES.map((axis) => ({
  name: `vary_seeds_${axis}`,
  label: axis.toUpperCase(),
  value: false,
  title: `Another seed for each value of ${axis.toUpperCase()}`,
}));

export const SPECS = {
  [XYZ]: {
    ticks: [
      { name: "draw_legend", label: "Draw legend", value: true, title: "Labels and values stand beside the pictures of the sheet" },
      { name: "no_fixed_seeds", label: "Keep -1 for seeds", value: false, title: "Else a seed of -1 is drawn once, for all pictures" },
      { name: "include_lone_images", label: "Include lone images", value: false, title: "A client of the REST API gets each picture beside the sheet" },
      { name: "include_sub_grids", label: "Include sub grids", value: false, title: "A sheet of its own for each value of Z" },
      { name: "csv_mode", label: "Text in place of lists", value: false, title: "Write the values of samplers, models and the like as text" },
    ],
    varies: VARIES,
    numbers: [MARGIN],
  },
  [MATRIX]: {
    choices: [
      { name: "prompt_type", label: "Prompt", value: "positive", options: ["positive", "negative"] },
      { name: "variations_delimiter", label: "Parts are joined by", value: "comma", options: ["comma", "space"] },
    ],
    ticks: [
      { name: "put_at_start", label: "Put variable parts at start", value: false },
      { name: "different_seeds", label: "Different seed for each picture", value: false },
    ],
    numbers: [MARGIN],
  },
  [PROMPTS]: {
    choices: [
      { name: "prompt_position", label: "Insert prompts", value: "start", options: [["before the prompt", "start"], ["after the prompt", "end"]] },
    ],
    ticks: [
      { name: "checkbox_iterate", label: "Iterate seed every line", value: false },
      { name: "checkbox_iterate_batch", label: "Same random seed for all lines", value: false },
    ],
  },
};

// What is said in the arguments of a script of which nothing was changed.
export function argsAtFirst(title) {
  const specs = Object.values(SPECS[title] || {}).flat();
  const args = Object.fromEntries(specs.map(({ name, value }) => [name, value]));
  if (title === PROMPTS) return { ...args, prompt_txt: "" };
  if (title !== XYZ) return args;
  const axes = AXES.flatMap((axis) => [[`${axis}_type`, NOTHING], [`${axis}_values`, ""], [`${axis}_values_dropdown`, []]]);
  return { ...Object.fromEntries(axes), ...args };
}

// The arguments as the fields of two axes that have changed places hold them.
export function swapped(args, one, other) {
  const turned = { ...args };
  for (const part of ["type", "values", "values_dropdown"]) {
    turned[`${one}_${part}`] = args[`${other}_${part}`];
    turned[`${other}_${part}`] = args[`${one}_${part}`];
  }
  for (const axis of [one, other]) turned[`vary_seeds_${axis}`] = args[`vary_seeds_${axis === one ? other : one}`];
  return turned;
}
