// Chooses light or dark before the page is drawn. The choice is kept where the admin keeps it, too.
"use strict";
(() => {
  const KEY = "adminTheme";
  const chosen = () => {
    try {
      return JSON.parse(localStorage.getItem(KEY)) || "auto";
    } catch {
      return "auto";
    }
  };
  const systemIsDark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => chosen() === "dark" || (chosen() === "auto" && systemIsDark.matches);
  const apply = () => document.documentElement.classList.toggle("dark", isDark());
  apply();
  systemIsDark.addEventListener("change", apply);
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-switch]")) return;
    localStorage.setItem(KEY, JSON.stringify(isDark() ? "light" : "dark"));
    apply();
  });
})();
