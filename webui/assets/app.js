// The page's own part, beside Gradio.

import { bridge } from "./page/bridge.js";
import { Page } from "./page/page.js";

window.steady = bridge(new Page());
window.steadyIsReady(window.steady); // a promise in theme.py: Gradio may have finished first
