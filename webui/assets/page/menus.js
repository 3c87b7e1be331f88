// Small menus beside a button: opened by it, closed by Esc, a click elsewhere or a choice; arrow keys walk in them.
// The button has aria-haspopup="menu" and stands right before its <div role="menu" hidden>.

import { setAttribute, visible } from "./dom.js";

const ITEMS = '[role="menuitem"], [role="menuitemradio"], [role="menuitemcheckbox"]';

export class Menus {
  open = null; // the open menu

  constructor() {
    document.addEventListener("click", (event) => this.clicked(event), true);
    document.addEventListener("keydown", (event) => this.key(event), true);
  }

  clicked(event) {
    const button = event.target.closest?.('button[aria-haspopup="menu"]');
    if (button) {
      const menu = button.nextElementSibling;
      const opens = menu.hidden;
      this.close(false);
      if (opens) this.show(menu);
    } else if (this.open) {
      const chosen = this.open.contains(event.target);
      if (!chosen && !event.isTrusted) return; // pressed by a script, which reads something anew: nobody clicked elsewhere
      if (chosen && !event.target.closest(ITEMS)) return;
      this.close(chosen);
    }
  }

  show(menu) {
    this.open = menu;
    menu.hidden = false;
    menu.removeAttribute("data-up");
    if (menu.getBoundingClientRect().bottom > innerHeight - 8) menu.dataset.up = "yes";
    setAttribute(menu.previousElementSibling, "aria-expanded", "true");
    items(menu)[0]?.focus({ preventScroll: true });
  }

  close(backToButton) {
    const menu = this.open;
    if (!menu) return;
    this.open = null;
    const inside = menu.contains(document.activeElement);
    menu.hidden = true;
    setAttribute(menu.previousElementSibling, "aria-expanded", "false");
    if (backToButton || inside) menu.previousElementSibling?.focus({ preventScroll: true });
  }

  key(event) {
    if (!this.open) return;
    if (!this.open.isConnected) {
      this.open = null;
      return;
    }
    const list = items(this.open);
    const at = list.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1 + Number(at < 0), Home: 0, End: list.length - 1 }[event.key];
    if (event.key === "Escape") this.close(true);
    else if (event.key === "Tab") return this.close(true);
    else if (to !== undefined) list[(to + list.length) % list.length]?.focus({ preventScroll: true });
    else return;
    event.preventDefault();
    event.stopPropagation(); // Esc closes the menu and not the job
  }
}

const items = (menu) => Array.from(menu.querySelectorAll(ITEMS)).filter(visible);
