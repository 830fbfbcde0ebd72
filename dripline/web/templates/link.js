"use strict";
// Sends the form as soon as a person is looking. Programs that only examine the page are left with the button:
// they render it unseen or before it is wanted, or say that they drive the browser.
(() => {
  const form = document.getElementById("send");
  if (!form || navigator.webdriver) return;
  let sent = false;
  const send = () => {
    if (sent || document.prerendering || document.visibilityState !== "visible") return;
    sent = true;
    form.submit();
  };
  document.addEventListener("prerenderingchange", send);
  document.addEventListener("visibilitychange", send);
  send();
})();
