// Starts both panels, and the button for light and dark.

import { Chat } from "./chat.js";
import { Echo } from "./echo.js";

const THEMES = ["auto", "light", "dark"];

function startTheme(button) {
  let theme = THEMES.indexOf(recall()) > 0 ? recall() : "auto";
  const show = () => {
    document.documentElement.dataset.theme = theme;
    button.textContent = `Theme: ${theme}`;
  };
  button.addEventListener("click", () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
    keep(theme);
    show();
  });
  show();
}

function recall() {
  try {
    return localStorage.getItem("drover-theme");
  } catch {
    return null;
  }
}

function keep(theme) {
  try {
    localStorage.setItem("drover-theme", theme);
  } catch {
    // Forgotten at the next load, then.
  }
}

startTheme(document.querySelector("#theme"));
new Chat(document.querySelector("#chat"));
new Echo(document.querySelector("#echo"));
