/* Says why a page cannot start, where its own scripts do not run. It is written for every browser, however old. */
(function () {
  function tell(text) {
    var note = document.getElementById("missing");
    if (!note) return document.addEventListener("DOMContentLoaded", function () { tell(text); });
    note.textContent = text;
    note.hidden = false;
    note.style.display = "block";
    document.getElementById("status").textContent = "The page could not start.";
  }
  if (!("noModule" in document.createElement("script"))) {
    return tell("This browser is too old for this page: it does not know JavaScript's modules.");
  }
  // Errors at files do not bubble: they are heard on their way down.
  addEventListener("error", function (event) {
    if (window.started) return;
    if (event.message) tell("This browser cannot run this page: " + event.message);
    else if (location.protocol === "file:") tell("This page must come from a web server, not from a file: python -m http.server starts one.");
    else tell("A file of this page could not be loaded. Load the page again.");
  }, true);
})();
