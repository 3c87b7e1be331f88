// What the page's scripts leave in the window for Gradio's listeners and for the inline script of the head.
interface Window {
  steady: Bridge;
  steadyReady: Promise<Bridge>;
  steadyIsReady: (bridge: Bridge) => void;
  steadyColours: () => void;
  steadyTouched: Set<Node>;
}

// What a listener calls (webui/listeners.py): values come in the order of `takes` and go in that of `gives`.
interface Bridge {
  call: (what: { name: string; tab?: string; takes: string[]; gives: string[] }, values: unknown[]) => unknown[];
  state: () => any;
}

// An event of the document that came from an element of this kind: what lies under the pointer or has the focus.
type EventOn<Kind extends Element> = Event & { target: Kind };
