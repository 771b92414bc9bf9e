// The list "On this page" follows the reader: the theme marks the section that is read, and here its entry is kept
// in sight, in a long chapter too.
(() => {
  "use strict";
  const list = document.getElementById("pst-page-toc-nav");
  const panel = list?.closest(".bd-sidebar-secondary");
  if (!panel) return;
  const follow = () => {
    const entry = list.querySelector("a[aria-current]")?.getBoundingClientRect();
    const around = panel.getBoundingClientRect();
    if (!entry?.height || (entry.top > around.top + 60 && entry.bottom < around.bottom - 60)) return;
    // The panel alone moves: scrollIntoView could move the page, and so choose another section.
    panel.scrollTop += entry.top - around.top - panel.clientHeight / 2;
  };
  new MutationObserver(follow).observe(list, { attributes: true, attributeFilter: ["aria-current"], subtree: true });
})();
