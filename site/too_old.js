/* For browsers that know no modules: it is written for them. */
document.addEventListener("DOMContentLoaded", function () {
  var note = document.getElementById("missing");
  note.textContent = "This browser is too old for this page: it does not know JavaScript's modules.";
  note.hidden = false;
  note.style.display = "block";
});
