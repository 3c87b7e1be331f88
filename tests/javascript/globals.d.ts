// What the page's scripts leave in the window for Gradio's listeners and for the inline script of the head.
interface Window {
  steady: any;
  steadyReady: Promise<any>;
  steadyIsReady: (page: any) => void;
  steadyColours: () => void;
}
