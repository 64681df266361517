/* The browser's own part: theme, address, small popovers. No library. */
(function () {
  "use strict";

  /* Charts need Plotly's basic bundle alone; Dash would fetch the whole of it, four times as big. */
  Object.defineProperty(window, "_dashPlotlyJSURL", {
    get: () => "/assets/plotly-basic-4.1.1.min.js",
    set: () => undefined,
  });

  const YEAR = 365 * 24 * 3600;
  const darkSystem = window.matchMedia("(prefers-color-scheme: dark)");

  function cookie(name) {
    const found = document.cookie.split("; ").find((part) => part.startsWith(name + "="));
    return found ? found.slice(name.length + 1) : "";
  }

  function keep(name, value) {
    const secure = window.location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `${name}=${value}; Path=/; Max-Age=${YEAR}; SameSite=Lax${secure}`;
  }

  /* Theme: the reader's choice, or the system's. The server reads `nova_scheme` for new charts. */

  function chosenTheme() {
    const kept = cookie("nova_theme");
    return kept === "light" || kept === "dark" ? kept : "system";
  }

  function applyTheme() {
    const theme = chosenTheme();
    const scheme = theme === "system" ? (darkSystem.matches ? "dark" : "light") : theme;
    document.documentElement.setAttribute("data-theme-choice", theme);
    if (cookie("nova_scheme") !== scheme) {
      keep("nova_scheme", scheme);
    }
    show(scheme);
  }

  function show(scheme) {
    document.documentElement.setAttribute("data-bs-theme", scheme);
    paintCharts();
  }

  function paintCharts() {
    if (document.getElementById("chart-templates") && window.Plotly) {
      document.querySelectorAll(".js-plotly-plot").forEach(paint);
    }
  }

  /* In the scheme of the page, where the chart was made for the other one: also one that was on its
     way as the reader changed it. */
  let templates = null;

  function paint(chart) {
    const scheme = document.documentElement.getAttribute("data-bs-theme");
    templates ||= JSON.parse(document.getElementById("chart-templates").dataset.templates);
    const drawn = chart.layout && chart.layout.template;
    const inkOf = (template) => template.layout.font.color;
    if (drawn && inkOf(drawn) !== inkOf(templates[scheme])) {
      window.Plotly.relayout(chart, { template: templates[scheme] });
    }
  }

  applyTheme();
  darkSystem.addEventListener("change", applyTheme);

  /* Paper is light, whatever the screen is. */
  window.addEventListener("beforeprint", () => show("light"));
  window.addEventListener("afterprint", applyTheme);

  document.addEventListener("click", function (event) {
    const button = event.target.closest("button[data-theme-choice]");
    if (button) {
      keep("nova_theme", button.dataset.themeChoice);
      applyTheme();
    }
  });

  /* Popovers are <details>: one open at a time; a click elsewhere or Escape closes them. */

  /* Views: the form keeps the page's address; a button copies it. */

  document.addEventListener("submit", function (event) {
    if (event.target.id === "view-form") {
      const kept = window.location.pathname + window.location.search;
      event.target.querySelector("[name=address]").value = kept;
    }
  });

  function copied(text) {
    if (navigator.clipboard && window.isSecureContext) {
      return navigator.clipboard.writeText(text);
    }
    const field = document.createElement("textarea");
    field.value = text;
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    return done ? Promise.resolve() : Promise.reject(new Error("copy"));
  }

  const COPIED_MS = 3000;

  function sayCopied(button) {
    const words = button.lastChild;
    if (words.textContent === button.dataset.done) {
      return;
    }
    const before = words.textContent;
    words.textContent = button.dataset.done;
    window.setTimeout(() => (words.textContent = before), COPIED_MS);
  }

  document.addEventListener("click", function (event) {
    const button = event.target.closest("#copy-link");
    if (!button) {
      return;
    }
    copied(window.location.href).then(
      () => sayCopied(button),
      () => window.prompt(button.textContent, window.location.href),
    );
  });

  const POPOVERS = "details.receipt[open], details.user-menu[open], details.confirm[open]";

  function closePopovers(except) {
    document.querySelectorAll(POPOVERS).forEach(function (popover) {
      if (popover !== except) {
        popover.removeAttribute("open");
      }
    });
  }

  document.addEventListener("click", function (event) {
    closePopovers(event.target.closest("details.receipt, details.user-menu, details.confirm"));
  });

  document.addEventListener("keydown", function (event) {
    if (event.key !== "Escape") {
      return;
    }
    const open = document.querySelector(POPOVERS);
    closePopovers(null);
    if (open) {
      open.querySelector("summary").focus();
    }
  });

  /* Dash's drop-downs are buttons that no key reaches and no label names: mended as they appear. */

  function nameDropdown(button) {
    const label = document.querySelector(`label[for='${CSS.escape(button.id)}']`);
    button.tabIndex = 0;
    if (label) {
      label.id = label.id || `${button.id}-name`;
      const value = button.getAttribute("aria-labelledby") || "";
      if (!value.startsWith(label.id)) {
        button.setAttribute("aria-labelledby", `${label.id} ${value}`.trim());
      }
    }
  }

  /* So are the buttons of its fields for numbers, which arrow keys do as well: each says English words
     without the field's name. */

  function nameStepper(button) {
    const field = document.getElementById(button.getAttribute("aria-controls"));
    const holder = document.getElementById("content");
    const [less, more] = JSON.parse((holder && holder.dataset.steppers) || "[]");
    if (field && less) {
      const does = button.classList.contains("dash-stepper-decrement") ? less : more;
      const around = field.labels[0];
      const label = around && (around.querySelector(".field-label") || around);
      button.tabIndex = -1;
      button.setAttribute("aria-label", label ? `${does}: ${label.textContent.trim()}` : does);
    }
  }

  /* Of a row that scrolls sideways one sees what is chosen; once, then it is the reader's. */

  const CHOSEN = ".places .place-current, .side-links .nav-link.active";
  const seen = new WeakMap();

  function showChosen(chosen) {
    const row = chosen.closest(".places, .side-links");
    if (seen.get(row) === chosen) {
      return;
    }
    seen.set(row, chosen);
    const [outer, inner] = [row, chosen].map((one) => one.getBoundingClientRect());
    if (inner.left < outer.left || inner.right > outer.right) {
      row.scrollLeft += inner.left + inner.width / 2 - (outer.left + outer.width / 2);
    }
  }

  /* Tables that hold more columns than they show have a shadow where the others are. What counts is
     how wide the columns are: cells that still glide to their places stand out farther. */

  const SCROLLED = ".ag-center-cols-viewport, .table-scroll, .what-if-scroll";
  const watched = new WeakSet();

  function showMore(scrolled) {
    const held = scrolled.firstElementChild.offsetWidth;
    const beyond = held - scrolled.clientWidth - scrolled.scrollLeft;
    (scrolled.closest(".table-grid") || scrolled).toggleAttribute("data-more", beyond > 1);
  }

  const widths = new ResizeObserver(function (changes) {
    new Set(changes.map((one) => one.target.closest(SCROLLED))).forEach(
      (scrolled) => scrolled && showMore(scrolled),
    );
  });

  function watchWidth(scrolled) {
    if (!watched.has(scrolled) && scrolled.firstElementChild) {
      watched.add(scrolled);
      widths.observe(scrolled);
      widths.observe(scrolled.firstElementChild);
    }
  }

  document.addEventListener(
    "scroll",
    (event) => event.target.matches && event.target.matches(SCROLLED) && showMore(event.target),
    true,
  );

  new MutationObserver(function () {
    document.querySelectorAll("button.dash-dropdown[tabindex='-1']").forEach(nameDropdown);
    document.querySelectorAll(".dash-input-stepper:not([tabindex])").forEach(nameStepper);
    document.querySelectorAll(CHOSEN).forEach(showChosen);
    document.querySelectorAll(SCROLLED).forEach(watchWidth);
    showFilters();
  }).observe(document.documentElement, { childList: true, subtree: true });

  /* Formulas of receipts are typeset once their receipt is opened: that takes 1 MB of script. */

  function typeset(formula) {
    const made = { children: formula.textContent, mathjax: true };
    formula.classList.remove("math-later");
    window.dash_clientside.set_props(JSON.parse(formula.id), {
      children: { namespace: "dash_core_components", type: "Markdown", props: made },
    });
  }

  document.addEventListener(
    "toggle",
    function (event) {
      if (event.target.open) {
        event.target.querySelectorAll(".math-later").forEach(typeset);
      }
    },
    true
  );

  /* Dash leaves a refused page blank: the server's own answer to its address says why. Where no
     answer comes, Dash keeps what it shows and says nothing: the reader is told, and once the server
     answers the page is asked for again (assets/watch.js). */

  const HEALTH = "/api/v1/health";
  const AGAIN_MS = 5000;
  const LEAVING_MS = 3000;
  const TOAST_MS = 8000;
  const AWAY = [502, 503];
  const fetchAsIs = window.fetch;

  let isAway = false;
  let isLeaving = false;
  let asksAgain = 0;

  function opensPage(options) {
    return String((options || {}).body).includes("_pages_content.children");
  }

  function say(what, icon, duration) {
    const toasts = document.getElementById("toasts");
    if (!toasts) {
      return;
    }
    const [header, text] = JSON.parse(toasts.dataset.words)[what];
    const made = { header: header, children: text, icon: icon, dismissable: true, is_open: true };
    Object.assign(made, duration ? { duration: duration } : {});
    window.dash_clientside.set_props("toasts", {
      children: { namespace: "dash_bootstrap_components", type: "Toast", props: made },
    });
  }

  function askLater() {
    window.clearTimeout(asksAgain);
    asksAgain = window.setTimeout(askWhetherBack, AGAIN_MS);
  }

  function askWhetherBack() {
    fetchAsIs(HEALTH).then((answer) => (answer.ok ? comeBack() : askLater()), askLater);
  }

  function comeBack() {
    window.clearTimeout(asksAgain);
    if (isAway) {
      isAway = false;
      say(window.nova.renew() ? "back" : "kept", "success", TOAST_MS);
    }
  }

  function goAway() {
    if (!isAway) {
      isAway = true;
      say("away", "danger");
      askLater();
    }
  }

  window.addEventListener("online", () => isAway && askWhetherBack());

  /* What is under way as the reader leaves fails too, in some browsers. */
  window.addEventListener("beforeunload", function () {
    isLeaving = true;
    window.setTimeout(() => (isLeaving = false), LEAVING_MS);
  });

  function unanswered(failure) {
    if (isLeaving || failure.name === "AbortError") {
      throw failure;
    }
    return new Response("", { status: AWAY[1] });
  }

  /* A button takes one click until it is answered: of two calls under way Dash drops the answer to
     the first, and both would have written. A double click is one. */

  const START_MS = 1000;
  const CLICKED = ".n_clicks";
  const held = new Map();

  document.addEventListener(
    "click",
    function (event) {
      const button = event.target.closest("button.btn[type=button][id]:not([aria-expanded])");
      if (!button) {
        return;
      }
      if (event.detail > 1 || held.has(button.id)) {
        event.preventDefault();
        event.stopPropagation();
        return;
      }
      held.set(button.id, window.setTimeout(() => held.delete(button.id), START_MS));
    },
    true,
  );

  function clicked(options) {
    const changed = JSON.parse(options.body).changedPropIds;
    const told = changed.filter((one) => one.endsWith(CLICKED));
    return told.map((one) => one.slice(0, -CLICKED.length));
  }

  function hold(id) {
    window.clearTimeout(held.get(id));
    held.set(id, 0);
  }

  window.fetch = function (resource, options) {
    const asked = fetchAsIs(resource, options);
    if (!String(resource).includes("/_dash-update-component")) {
      return asked;
    }
    const buttons = clicked(options);
    buttons.forEach(hold);
    return asked.catch(unanswered).then(function (response) {
      buttons.forEach((id) => held.delete(id));
      const isRefused = response.status === 403;
      if (response.status === 401 || (isRefused && opensPage(options))) {
        window.location.reload();
      } else if (isRefused) {
        say("refused", "danger", TOAST_MS);
      } else if (AWAY.includes(response.status)) {
        goAway();
      } else if (response.status >= 500) {
        say("failed", "danger", TOAST_MS);
      }
      return response;
    });
  };

  /* Addresses: filters and sorting are written into the query string; the page follows it. */

  function asList(value) {
    const told = Array.isArray(value) ? value : [value];
    return told.map((one) => String(one ?? "").trim()).filter((one) => one !== "");
  }

  function same(one, other) {
    return one.length === other.length && one.every((value) => other.includes(value));
  }

  function written(query) {
    query.delete("v");
    if (query.size) {
      query.set("v", shared().version);
    }
    return query.size ? "?" + query.toString() : "";
  }

  /* What all pages share is carried to those that can apply it (domain/page_filters.py). */

  function shared() {
    return JSON.parse(document.getElementById("shared-filters").dataset.filters);
  }

  function keyOf(place, pages) {
    const tab = new URLSearchParams(place.search).get("tab");
    const path = place.pathname;
    const leads = (name) => new RegExp(`^${name.replace(/<\w+>/g, ".+")}$`).test(path);
    const paths = Object.keys(pages).filter((name) => name.includes("<") && !name.includes("?"));
    const name = path in pages ? path : paths.find(leads);
    return [`${name}?tab=${tab}`, name].find((one) => one in pages);
  }

  function carried(href) {
    const told = shared();
    const target = new URL(href, window.location.href);
    const [here, there] = [window.location, target].map((one) => keyOf(one, told.pages));
    const sets = told.shared.some((name) => target.searchParams.has(name));
    if (target.origin !== window.location.origin || !here || !there || here === there || sets) {
      return href;
    }
    const now = new URLSearchParams(window.location.search);
    const page = told.pages[there];
    const kept = page.shared.filter((name) => told.pages[here].shared.includes(name));
    kept.forEach(function (name) {
      const values = now.getAll(name);
      const taken = page.one.includes(name) ? values.slice(0, 1) : values;
      taken.forEach((value) => target.searchParams.append(name, value));
    });
    const moved = kept.some((name) => now.has(name));
    return moved ? target.pathname + written(target.searchParams) + target.hash : href;
  }

  function go(address) {
    window.history.pushState({}, "", address);
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
  }

  function carry(event) {
    const link = event.target.closest && event.target.closest("a[href^='/']");
    if (!link || link.matches("[download], [target], .view-link")) {
      return;
    }
    const href = link.getAttribute("href");
    const address = carried(href);
    if (address === href) {
      return;
    }
    const elsewhere = event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
    if (event.type === "click" && event.button === 0 && !elsewhere) {
      event.preventDefault();
      event.stopPropagation();
      go(address);
      window.scrollTo(0, 0);
      return;
    }
    link.setAttribute("href", address);
    window.setTimeout(() => link.setAttribute("href", href));
  }

  ["click", "auxclick", "contextmenu"].forEach((name) =>
    document.addEventListener(name, carry, true),
  );

  /* A click on a mark of a chart or map narrows the page to it; the same click again widens it. */

  function toggle(name, value) {
    const query = new URLSearchParams(window.location.search);
    const alone = same(query.getAll(name), [value]);
    query.delete(name);
    if (!alone) {
      query.append(name, value);
    }
    startOver(query);
    go(window.location.pathname + written(query));
  }

  /* The bar's button shows what the bar holds back; pages made anew keep it as it was. */

  const OPENED = "data-filters-open";

  function showFilters() {
    const button = document.getElementById("filters-button");
    const opened = String(document.documentElement.hasAttribute(OPENED));
    if (button && button.getAttribute("aria-expanded") !== opened) {
      button.setAttribute("aria-expanded", opened);
    }
  }

  document.addEventListener("click", function (event) {
    if (event.target.closest("#filters-button")) {
      document.documentElement.toggleAttribute(OPENED);
      showFilters();
    }
  });

  /* The day in Brasília; Swedish dates are those of ISO 8601. */
  function today() {
    return new Date().toLocaleDateString("sv", { timeZone: "America/Sao_Paulo" });
  }

  function page() {
    return document.getElementById("_pages_content");
  }

  /* Whether a part of the page is still to come. */
  function isAwaited(within) {
    return Boolean(within.querySelector(".part > .outline"));
  }

  window.nova = {
    carried: carried,
    go: go,
    isAwaited: isAwaited,
    page: page,
    paint: paint,
    today: today,
    toggle: toggle,
  };

  function startOver(query) {
    query.delete("cursor");
    query.delete("start");
  }

  function writeFilters(values, ids, memories) {
    const still = window.dash_clientside.no_update;
    if (!memories.length) {
      return still;
    }
    const together = (part) => Object.assign({}, ...memories.map((one) => one[part]));
    const memory = { initial: together("initial"), resets: together("resets"), empty: together("empty") };
    const query = new URLSearchParams(window.location.search);
    let changed = false;
    ids.forEach(function (id, index) {
      const value = asList(values[index]);
      if (!(id.name in memory.initial) || same(value, asList(memory.initial[id.name]))) {
        return;
      }
      changed = true;
      [id.name].concat(memory.resets[id.name] || []).forEach((name) => query.delete(name));
      const kept = value.length || !memory.empty[id.name] ? value : [memory.empty[id.name]];
      kept.forEach((one) => query.append(id.name, one));
    });
    if (!changed) {
      return still;
    }
    startOver(query);
    return written(query);
  }

  function writeSort(states, definitions) {
    const still = window.dash_clientside.no_update;
    const sorted = (states[0] || []).find((column) => column.sort);
    const shown = (definitions[0] || []).find((column) => column.sort);
    if (!sorted || (shown && shown.field === sorted.colId && shown.sort === sorted.sort)) {
      return still;
    }
    const query = new URLSearchParams(window.location.search);
    query.set("sort", (sorted.sort === "desc" ? "-" : "") + sorted.colId);
    startOver(query);
    return written(query);
  }

  /* A master and its detail: the chosen row and tab go into the address, the page stays. */
  function chooseRow(rows, tab, shown) {
    const still = window.dash_clientside.no_update;
    const row = Array.isArray(rows) && rows.length ? rows[0] : null;
    const item = row ? row.sku : (shown || {}).item;
    const depot = row ? row.depot : (shown || {}).depot;
    if (!item || (shown && shown.item === item && shown.depot === depot && shown.tab === tab)) {
      return still;
    }
    const query = new URLSearchParams(window.location.search);
    Object.entries({ item: item, depot: depot, tab: tab }).forEach((pair) => query.set(...pair));
    window.history.replaceState(window.history.state, "", written(query));
    return { item: item, depot: depot, tab: tab };
  }

  function tickAll(all, options) {
    const ticked = (all || []).length > 0;
    return options.map((offered) => (ticked ? offered.map((one) => one.value) : []));
  }

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.nova = {
    chooseRow: chooseRow,
    tickAll: tickAll,
    writeFilters: writeFilters,
    writeSort: writeSort,
  };
})();
