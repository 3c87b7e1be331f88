// One person on several devices: a link that carries whose browser this is. It stands in the fragment of the address,
// which no server is sent, and is out of the address as soon as the page has read it.

import { copyText } from "../page/clipboard.js";
import { byId, make, setText } from "../page/dom.js";
import { write } from "../page/memory.js";
import { encode } from "../uqr/uqr.js";

const FRAGMENT = /^#owner=([0-9a-f]{24,64})$/;
const OWNER = "steady.owner";
const QUIET_MODULES = 2; // white around the code, for cameras

export class OtherDevice {
  offered = null; // the owner that a link named, until the user has said yes or no

  constructor(owner, rerender) {
    this.owner = owner;
    this.rerender = rerender;
    addEventListener("hashchange", () => this.read());
    document.addEventListener("click", (/** @type {EventOn<HTMLElement>} */ event) => this.clicked(event.target.closest?.("button")));
    this.read();
  }

  // Asked first: a link of a stranger must not make this browser's jobs his.
  read() {
    const found = FRAGMENT.exec(location.hash);
    if (!found) return;
    history.replaceState(history.state, "", location.pathname + location.search);
    this.offered = found[1] === this.owner ? null : found[1];
    this.rerender();
  }

  get banner() {
    if (!this.offered) return null;
    const text = "From then on both show the same jobs. Only do so if the link is your own: who made it sees what you draw.";
    const actions = [
      { label: "Use it here too", do: "adopt-owner" },
      { label: "No", do: "decline-owner" },
    ];
    return { key: "owner", tone: "calm", title: "Go on as on your other device?", text, actions };
  }

  clicked(button) {
    const what = button?.dataset.do;
    if (what === "adopt-owner") {
      write(OWNER, this.offered);
      location.reload(); // what was typed is kept
    } else if (what === "decline-owner") {
      this.offered = null;
      this.rerender();
    } else if (button?.id === "steady_device_copy") {
      this.copy(button);
    }
  }

  async copy(button) {
    await copyText(/** @type {HTMLInputElement} */ (byId("steady_device_link")).value);
    setText(button, "Copied");
    setTimeout(() => setText(button, "Copy the link"), 1200);
  }

  // `addresses` are those of this machine in its network, for a page that was opened by the machine's own.
  render({ rights }) {
    const box = byId("steady_device");
    if (!box || !rights) return;
    const here = ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);
    const origin = here ? network(rights.addresses?.[0]) : location.origin;
    const key = `${origin}`;
    if (box.dataset.key === key) return;
    box.dataset.key = key;
    if (!origin) {
      const words = "Other devices cannot reach this program: it was started without --listen.";
      box.replaceChildren(make("p", { class: "sd-none" }, words));
      return;
    }
    const link = `${origin}/#owner=${this.owner}`;
    const field = make("input", { id: "steady_device_link", readonly: true, "aria-label": "Link for your other device", class: "sd-search" });
    field.value = link;
    field.addEventListener("focus", () => field.select());
    const words = "Open this link on your phone, or point its camera at the code: both then show the same jobs. It is as good as a key: keep it to yourself.";
    const copy = make("button", { type: "button", class: "sd-small", id: "steady_device_copy" }, "Copy the link");
    const text = make("div", { class: "sd-other-words" }, make("p", {}, words), make("div", { class: "sd-other-link" }, field, copy));
    box.replaceChildren(make("div", { class: "sd-other" }, picture(link), text));
  }
}

const network = (address) => (address ? `${location.protocol}//${address}${location.port && `:${location.port}`}` : null);

// Dark on white also on a dark page: not every camera reads it the other way round.
function picture(text) {
  const { data, size } = encode(text, { border: QUIET_MODULES, ecc: "M" });
  const runs = data.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : ""))).join("");
  const box = make("span", { class: "sd-qr", role: "img", "aria-label": "The link as a QR code" });
  box.innerHTML = `<svg viewBox="0 0 ${size} ${size}" shape-rendering="crispEdges"><path d="${runs}"/></svg>`;
  return box;
}
