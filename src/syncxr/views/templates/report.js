"use strict";
// Masks: one switch for all films, one button a finding. Filters narrow the gallery.
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const press = (button, on) => button.setAttribute("aria-pressed", String(on));

function showMask(button, on) {
  press(button, on);
  const film = button.closest("figure");
  all("path", film)
    .filter((path) => path.dataset.mask === button.dataset.mask)
    .forEach((path) => path.toggleAttribute("hidden", !on));
}

all("button[data-mask]").forEach((button) =>
  button.addEventListener("click", () =>
    showMask(button, button.getAttribute("aria-pressed") !== "true")));

const every = document.getElementById("all-masks");
if (every) {
  every.addEventListener("click", () => {
    const on = every.getAttribute("aria-pressed") !== "true";
    press(every, on);
    all("#gallery button[data-mask]").forEach((button) => showMask(button, on));
  });
}

const filters = all("button[data-filter]");
filters.forEach((button) =>
  button.addEventListener("click", () => {
    filters.forEach((other) => press(other, other === button));
    const wanted = button.dataset.filter;
    all("#gallery figure").forEach((figure) => {
      const concepts = figure.dataset.concepts.split("|");
      figure.hidden = wanted !== "" && !concepts.includes(wanted);
    });
  }));
