// Two soft notes, made by the browser itself.

const NOTES = [
  [659.26, 0], // E5
  [987.77, 0.16], // B5
];
const LASTS = 0.9; // seconds

let context = null;

// Makes ready to sound. Call it while a hand or a key is on the page: later a browser does not allow it.
export function wake() {
  context ||= "AudioContext" in window ? new AudioContext() : null;
  if (context?.state === "suspended") context.resume().catch(() => {});
}

// `volume` is 0 to 1.
export function play(volume) {
  wake();
  if (!context) return;
  for (const [hertz, after] of NOTES) {
    const start = context.currentTime + 0.02 + after;
    const tone = new OscillatorNode(context, { type: "sine", frequency: hertz });
    const loud = new GainNode(context, { gain: 0 });
    loud.gain.setValueAtTime(0, start);
    loud.gain.linearRampToValueAtTime(volume * 0.4, start + 0.015);
    loud.gain.exponentialRampToValueAtTime(0.0004, start + LASTS);
    tone.connect(loud).connect(context.destination);
    tone.start(start);
    tone.stop(start + LASTS);
  }
}
