// navigator.clipboard needs https or localhost. In a dialog the text must lie in it: nothing else can be focused.
export async function copyText(text, beside = document.body) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = beside.appendChild(document.createElement("textarea"));
    area.value = text;
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}
