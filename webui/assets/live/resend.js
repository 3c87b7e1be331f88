// Gradio's own page, when one of its requests finds no server, tells so once a request and reloads itself later. Here
// such a request just waits until the server is back: over a restart nothing is lost, and nothing blinks.

const AGAIN_MS = 500;
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

// `isOpen()` tells whether the server is there. A request may be sent twice: each names what it does so that twice is
// once (a job by its id; the others set or read).
export function waitForTheServer(isOpen) {
  const plain = window.fetch.bind(window);
  window.fetch = async (input, init) => {
    if (!String(input instanceof Request ? input.url : input).includes("/gradio_api/run/")) return plain(input, init);
    for (;;) {
      try {
        const answer = await plain(input, init);
        if (answer.status !== 503) return answer; // 503: a server that is being replaced
      } catch (error) {
        if (init?.signal?.aborted) throw error;
      }
      do await sleep(AGAIN_MS);
      while (!isOpen());
    }
  };
}
