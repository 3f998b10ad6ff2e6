// What every page shares: local times, copy buttons, confirmation, choosing rows.
"use strict";

const find = (selector, within = document) => within.querySelector(selector);
const findAll = (selector, within = document) => [...within.querySelectorAll(selector)];

// Times come in UTC; the viewer reads them in his own zone.
const times = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const exactTimes = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
for (const element of findAll("time[datetime]")) {
  const shown = "seconds" in element.dataset ? exactTimes : times;
  element.textContent = shown.format(new Date(element.dateTime));
}

async function copy(button, text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without HTTPS the clipboard is closed to pages: the old way, through a selection.
    const area = Object.assign(document.createElement("textarea"), { value: text, className: "hidden" });
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  button.classList.add("done");
  const use = find("use", button);
  use?.setAttribute("href", "#icon-check");
  setTimeout(() => {
    button.classList.remove("done");
    use?.setAttribute("href", "#icon-copy");
  }, 1500);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.copy !== undefined) copy(button, button.dataset.copy);
  if (button.dataset.copyEncoded !== undefined) copy(button, decodeURIComponent(button.dataset.copyEncoded));
  if (button.dataset.copyFrom) {
    const area = document.getElementById(button.dataset.copyFrom);
    area.select();
    copy(button, area.value);
  }
});

// A button with data-confirm asks first. The form is sent as if that button was pressed.
const dialog = document.getElementById("confirm");
document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (!button?.dataset.confirm || button.dataset.confirmed) return;
  event.preventDefault();
  find("#confirm-title").textContent = button.dataset.confirm;
  find("#confirm-text").textContent = button.dataset.confirmText;
  const yes = find("button[value=yes]", dialog);
  yes.textContent = button.dataset.confirmYes;
  dialog.showModal();
  const answer = (choice) => {
    if (!choice.target.value) return;
    dialog.removeEventListener("click", answer);
    dialog.close();
    if (choice.target.value !== "yes") return;
    button.dataset.confirmed = "1";
    button.form.requestSubmit(button);
    delete button.dataset.confirmed;
  };
  dialog.addEventListener("click", answer);
  dialog.addEventListener("close", () => dialog.removeEventListener("click", answer), { once: true });
});

// Choosing rows: the button that acts on them shows once there are some.
const rows = find("[data-rows]");
if (rows) {
  const all = find("[data-choose-all]");
  const action = find("[data-needs-chosen]");
  const boxes = () => findAll("input[name=key]", rows);
  const show = () => {
    const chosen = boxes().filter((box) => box.checked).length;
    if (action) {
      action.hidden = !chosen;
      find("[data-chosen-count]", action).textContent = chosen;
      action.dataset.confirm = chosen === 1 ? "Delete the chosen object?" : `Delete the ${chosen} chosen objects?`;
    }
    if (all) {
      all.checked = chosen > 0 && chosen === boxes().length;
      all.indeterminate = chosen > 0 && !all.checked;
    }
  };
  all?.addEventListener("change", () => {
    for (const box of boxes()) box.checked = all.checked;
    show();
  });
  rows.addEventListener("change", show);
  show();
}
