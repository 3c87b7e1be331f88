// What the page's scripts leave in the window for Gradio's listeners and for the inline script of the head.
interface Window {
  steady: any;
  steadyReady: Promise<any>;
  steadyIsReady: (page: any) => void;
  steadyColours: () => void;
}

// An event of the document that came from an element of this kind: what lies under the pointer or has the focus.
type EventOn<Kind extends Element> = Event & { target: Kind };
