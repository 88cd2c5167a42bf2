// The link of a wallet holds its code after the #, which browsers send to nobody: it is typed here.
const field = document.getElementById("wallet");
const code = /^#((?:[0-9A-Z]{4}-?){6})$/i.exec(location.hash);
if (field && code) {
  field.value = code[1];
  // Neither the address bar nor the history keeps it.
  history.replaceState(null, "", location.pathname);
  field.form.querySelector("button").focus();
}
