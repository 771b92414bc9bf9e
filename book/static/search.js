// Search by Pagefind. Queries with Chinese characters go to the index that is cut into Chinese words.
(() => {
  "use strict";
  const root = document.documentElement.dataset.content_root || "./";
  const loaded = {};

  const index = (query) => {
    const folder = /\p{Script=Han}/u.test(query) ? "pagefind-zh" : "pagefind";
    loaded[folder] ??= import(new URL(`${root}${folder}/pagefind.js`, document.baseURI).href);
    return loaded[folder];
  };

  const element = (tag, className, text) => {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  };

  const link = (result, className) => {
    const made = element("a", className, result.title ?? result.meta.title);
    made.href = result.url;
    return made;
  };

  const excerpt = (html) => {
    const made = element("p", "search-excerpt");
    made.innerHTML = html; // Pagefind escapes the page's text and adds <mark> only
    return made;
  };

  const list = (results) => {
    const made = element("ol", "search-list");
    for (const result of results) {
      const item = element("li");
      const parts = result.sub_results.filter((part) => part.url !== result.url).slice(0, 3);
      item.append(link(result, "search-page"));
      if (!parts.length) item.append(excerpt(result.excerpt));
      for (const part of parts) item.append(link(part, "search-part"), excerpt(part.excerpt));
      made.append(item);
    }
    return made;
  };

  const search = async (query, found, isCurrent) => {
    if (!query) return found.replaceChildren();
    if (location.protocol === "file:") {
      return found.replaceChildren(
        element("p", "search-note", "Search works when the book is served: run “python course.py book serve” and open the address that it prints."),
      );
    }
    try {
      const hits = (await (await index(query)).search(query)).results;
      const results = await Promise.all(hits.slice(0, 12).map((hit) => hit.data()));
      if (!isCurrent()) return;
      const note = hits.length ? `${hits.length} page${hits.length === 1 ? "" : "s"} found` : `Nothing found for “${query}”`;
      found.replaceChildren(element("p", "search-note", note), list(results));
    } catch (error) {
      found.replaceChildren(element("p", "search-note", `The search index could not be read (${error.message}). Build the book again.`));
    }
  };

  for (const found of document.querySelectorAll(".search-found")) {
    const form = found.parentElement.querySelector("form.bd-search");
    const input = form.querySelector("input[name=q]");
    const run = () => {
      const query = input.value.trim();
      return search(query, found, () => query === input.value.trim());
    };
    let waiting;
    input.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(run, 150);
    });
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      await run();
      found.querySelector("a")?.focus();
    });
    const asked = new URLSearchParams(location.search).get("q");
    if (asked && !found.closest("dialog")) {
      input.value = asked;
      run();
    }
  }
})();
