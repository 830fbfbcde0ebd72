"use strict";
// Tells of the answer that was clicked as soon as a person is looking, and of another one that it chooses instead. It
// counts a little later, unless something else is pressed. Programs that only examine the page are left with the button.
(() => {
  const form = document.getElementById("survey");
  if (!form || navigator.webdriver) return;
  let told = null;
  const tell = () => {
    const chosen = form.querySelector("input[type=radio]:checked");
    if (!chosen || chosen.value === told || document.prerendering || document.visibilityState !== "visible") return;
    told = chosen.value;
    const body = new URLSearchParams({ do: form.dataset.pick });
    body.set(chosen.name, chosen.value);
    fetch(location.href, { method: "POST", body, keepalive: true }).catch(() => { told = null; });
  };
  document.addEventListener("prerenderingchange", tell);
  document.addEventListener("visibilitychange", tell);
  form.addEventListener("change", tell);
  tell();
})();
