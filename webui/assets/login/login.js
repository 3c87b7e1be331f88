// The login page. A script of the old kind, in the head: the colours are chosen before anything is painted.
(() => {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const colour = () => {
    let choice = null;
    try {
      choice = localStorage.getItem("steady.colours");
    } catch {
      /* storage is off: the setting decides */
    }
    choice ||= root.dataset.coloursSetting;
    root.dataset.theme = choice === "auto" ? (system.matches ? "dark" : "light") : choice;
  };
  colour();
  system.addEventListener("change", colour);

  addEventListener("DOMContentLoaded", () => {
    const form = /** @type {HTMLFormElement} */ (document.getElementById("login_form"));
    // A link from another device keeps its owner in the fragment, which no server sees: it is handed on to the page.
    form.action += location.hash;
    // Who comes by a link of another site sends no cookie with it, though he may have one.
    const wanted = /** @type {HTMLInputElement} */ (form.elements.namedItem("next")).value;
    fetch("/login", { cache: "no-store", headers: { accept: "application/json" } })
      .then((answer) => answer.json())
      .then(({ user }) => user && location.replace(wanted + location.hash))
      .catch(() => {});
  });
})();
