import { startChat } from "./chat.js";
import { startEcho } from "./echo.js";

const themes = ["auto", "light", "dark"];

function startTheme(button) {
  const show = (theme) => {
    document.documentElement.dataset.theme = theme;
    button.textContent = `Theme: ${theme}`;
  };
  const kept = () => {
    try {
      return localStorage.getItem("drover-theme");
    } catch {
      return null;
    }
  };
  let theme = themes.includes(kept()) ? kept() : "auto";
  show(theme);
  button.addEventListener("click", () => {
    theme = themes[(themes.indexOf(theme) + 1) % themes.length];
    show(theme);
    try {
      localStorage.setItem("drover-theme", theme);
    } catch {
      // Not remembered, then.
    }
  });
}

startTheme(document.querySelector("#theme"));
startChat(document.querySelector("#chat"));
startEcho(document.querySelector("#echo"));
