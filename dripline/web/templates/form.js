"use strict";
// Sends a form of Dripline from any page without leaving it. Without this script the form works all the same.
(() => {
  const put = (form, name, value) => {
    const input = document.createElement("input");
    input.type = "hidden";
    input.name = name;
    input.value = value;
    form.append(input);
  };
  const ask = (address, more) =>
    fetch(address, { headers: { Accept: "application/json" }, credentials: "omit", ...more });
  const begin = (form) => {
    if (form.dataset.dripline) return;
    form.dataset.dripline = "on";
    const address = new URL(form.getAttribute("action"), document.baseURI).href;
    const status = form.querySelector("[data-dripline-status]");
    const say = (text) => { if (status) status.textContent = text; };
    put(form, "_page", location.href); // its tags say where the visitor came from; the rest of its query is not kept
    put(form, "_referrer", document.referrer);
    ask(`${address}/start`)
      .then((answer) => (answer.ok ? answer.json() : {}))
      .then(({ stamp }) => stamp && put(form, "_stamp", stamp))
      .catch(() => {});
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const buttons = form.querySelectorAll("button");
      for (const one of buttons) one.disabled = true;
      for (const one of form.querySelectorAll("[aria-invalid]")) one.removeAttribute("aria-invalid");
      try {
        const answer = await ask(address, { method: "POST", body: new URLSearchParams(new FormData(form)) });
        const told = await answer.json();
        if (answer.ok && told.redirect) {
          location.assign(told.redirect);
        } else if (answer.ok) {
          HTMLFormElement.prototype.reset.call(form);
          say(told.message);
          form.dispatchEvent(new CustomEvent("dripline:sent", { bubbles: true }));
        } else {
          const errors = told.errors || [];
          for (const { field } of errors) form.querySelector(`[name="${field}"]`)?.setAttribute("aria-invalid", "true");
          say([told.detail, ...errors.map(({ detail }) => detail)].join(" "));
          form.querySelector("[aria-invalid]")?.focus();
        }
      } catch {
        HTMLFormElement.prototype.submit.call(form); // as the browser would have sent it by itself
      } finally {
        for (const one of buttons) one.disabled = false;
      }
    });
  };
  document.querySelectorAll("form[data-dripline]").forEach(begin);
})();
