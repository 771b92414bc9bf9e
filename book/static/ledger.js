// The wall of squares: a row is one stop of the Tab key, arrows walk through its squares. Without JavaScript each
// square is a stop.
(() => {
  "use strict";
  for (const row of document.querySelectorAll(".wall-row")) {
    const links = [...row.querySelectorAll("a")];
    for (const link of links.slice(1)) link.tabIndex = -1;
    row.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      const next = step && links[links.indexOf(document.activeElement) + step];
      if (!next) return;
      event.preventDefault();
      next.focus();
    });
  }
})();

// The filter of the ledger page. Without JavaScript the form stays hidden and all entries are shown.
(() => {
  "use strict";
  const form = document.getElementById("ledger-filter");
  if (!form) return;
  const rows = [...document.querySelectorAll("#ledger-table tbody tr")];
  const filter = () => {
    const chosen = [...new FormData(form)].filter(([, value]) => value);
    for (const row of rows) row.hidden = !chosen.every(([name, value]) => row.dataset[name] === value);
    form.querySelector("output").value = `${rows.filter((row) => !row.hidden).length} of ${rows.length} entries`;
  };
  // A link to one entry must find it, whatever the filter says.
  addEventListener("hashchange", () => {
    form.reset();
    filter();
    document.querySelector(`#ledger-table ${location.hash}`)?.scrollIntoView();
  });
  form.addEventListener("input", filter);
  form.hidden = false;
  filter();
})();
