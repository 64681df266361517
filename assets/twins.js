/* The numbers behind the charts: told in an attribute (layouts/components/table.py), made into a
   table once they are unfolded, and again when they change meanwhile. No library. */
(function () {
  "use strict";

  const TOLD = "data-table";

  function narrowing(text, filter, value) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "narrow-link";
    button.textContent = text;
    button.dataset.narrow = filter;
    button.dataset.value = value;
    return button;
  }

  function heading(scope, content) {
    const cell = document.createElement("th");
    cell.scope = scope;
    cell.append(content);
    return cell;
  }

  function tableOf(told, title) {
    const table = document.createElement("table");
    table.className = "plain-table";
    const caption = table.createCaption();
    caption.className = "visually-hidden";
    caption.textContent = title;
    const head = table.createTHead().insertRow();
    const worded = (cell, place) => cell.classList.toggle("word", told.words.includes(place));
    told.header.forEach(function (name, place) {
      const cell = heading("col", name);
      worded(cell, place);
      head.append(cell);
    });
    const body = table.createTBody();
    told.rows.forEach(function ([first, ...others], index) {
      const row = body.insertRow();
      const value = told.values[index];
      row.append(heading("row", value ? narrowing(first, told.narrows, value) : first));
      others.forEach(function (text, place) {
        const cell = row.insertCell();
        cell.textContent = text;
        worded(cell, place + 1);
      });
    });
    return table;
  }

  function titleOf(holder) {
    const card = holder.closest(".surface");
    const found = (card || document).querySelector("h2, h1");
    return found ? found.textContent : "";
  }

  /* What held the focus holds it again. */
  function make(holder) {
    const active = document.activeElement;
    const held = holder.contains(active) && active !== holder ? active.dataset.value : null;
    holder.replaceChildren(tableOf(JSON.parse(holder.getAttribute(TOLD)), titleOf(holder)));
    if (held) {
      const same = holder.querySelector(`[data-value="${CSS.escape(held)}"]`);
      (same || holder).focus({ preventScroll: true });
    }
  }

  document.addEventListener(
    "toggle",
    function (event) {
      const holder = event.target.querySelector(`:scope > [${TOLD}]`);
      if (holder && event.target.open && !holder.firstChild) {
        make(holder);
      }
    },
    true,
  );

  new MutationObserver(function (changes) {
    new Set(changes.map((change) => change.target)).forEach(function (holder) {
      if (holder.hasAttribute(TOLD) && holder.firstChild) {
        make(holder);
      }
    });
  }).observe(document.documentElement, { attributeFilter: [TOLD], subtree: true });
})();
