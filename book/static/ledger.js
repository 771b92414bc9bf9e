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
