/* The command palette (Ctrl or Cmd K, or /) and the keyboard's shortcuts. No library. */
(function () {
  "use strict";

  const ITEMS = "/api/v1/items";
  const SHOWN_ITEMS = 8;
  const PAUSE_MS = 180;
  const CHORD_MS = 1500;
  const KEPT = "nova_keys";
  const TYPED_INTO = "input, textarea, select, [contenteditable=true]";

  let found = [];
  let chosen = 0;
  let asked = 0;
  let pause = null;
  let chordAt = 0;

  function byId(id) {
    return document.getElementById(id);
  }

  function told() {
    return JSON.parse(byId("palette").dataset.palette);
  }

  function made(name, attributes, text) {
    const one = document.createElement(name);
    Object.entries(attributes).forEach((pair) => one.setAttribute(...pair));
    if (text !== undefined) {
      one.textContent = text;
    }
    return one;
  }

  /* The dialog's inside is made when it is first opened: Dash has no plain text field. */

  function build(dialog, words) {
    if (byId("palette-text")) {
      return;
    }
    const text = made("input", {
      id: "palette-text",
      type: "text",
      role: "combobox",
      autocomplete: "off",
      spellcheck: "false",
      "aria-autocomplete": "list",
      "aria-expanded": "true",
      "aria-controls": "palette-list",
      "aria-label": words.label,
      placeholder: words.placeholder,
    });
    const list = made("ul", { id: "palette-list", role: "listbox", "aria-label": words.label });
    const state = made("p", { id: "palette-state", role: "status", class: "weak" });
    dialog.append(text, list, state);
    text.addEventListener("input", () => search(text.value));
    text.addEventListener("keydown", steer);
    list.addEventListener("click", function (event) {
      const option = event.target.closest("[role=option]");
      if (option) {
        take(Number(option.dataset.place));
      }
    });
  }

  function plain(text) {
    return text
      .normalize("NFD")
      .replace(/[\u0300-\u036f]/g, "")
      .toLowerCase();
  }

  function matches(entries, text) {
    const parts = plain(text).split(/\s+/).filter(Boolean);
    const hits = entries.filter((one) => parts.every((part) => plain(one.name).includes(part)));
    const first = (one) => (parts.length && plain(one.name).startsWith(parts[0]) ? 0 : 1);
    return hits.sort((one, other) => first(one) - first(other));
  }

  function exportsHere(words) {
    return [...document.querySelectorAll("#_pages_content a[download]")].map(
      (link) => ({
        name: `${words.export} ${link.textContent.trim()}`,
        kind: words.action,
        element: link,
      }),
    );
  }

  function render(words, problem) {
    const list = byId("palette-list");
    chosen = Math.min(chosen, Math.max(0, found.length - 1));
    list.replaceChildren(
      ...found.map(function (one, place) {
        const option = made("li", { id: `palette-${place}`, role: "option" });
        option.dataset.place = place;
        option.append(made("span", { class: "palette-name" }, one.name));
        if (one.key) {
          const keys = one.key === "?" ? ["?"] : ["g", one.key];
          const hint = made("span", { class: "palette-keys", "aria-hidden": "true" });
          keys.forEach((key) => hint.append(made("kbd", {}, key)));
          option.append(hint);
        }
        option.append(made("span", { class: "palette-kind weak" }, one.kind));
        return option;
      }),
    );
    const count = words.count.replace("{count}", found.length);
    byId("palette-state").textContent = problem || (found.length ? count : words.none);
    mark();
  }

  function mark() {
    const text = byId("palette-text");
    document.querySelectorAll("#palette-list [role=option]").forEach(function (one, place) {
      one.setAttribute("aria-selected", String(place === chosen));
      if (place === chosen) {
        one.scrollIntoView({ block: "nearest" });
      }
    });
    if (found.length) {
      text.setAttribute("aria-activedescendant", `palette-${chosen}`);
    } else {
      text.removeAttribute("aria-activedescendant");
    }
  }

  function local(told, text) {
    return matches([...told.entries, ...exportsHere(told.words)], text);
  }

  function materialsOf(rows, text, words) {
    const items = rows.map((row) => ({
      name: row.name ? `${row.sku} – ${row.name}` : row.sku,
      kind: words.material,
      href: `/materials/${encodeURIComponent(row.sku)}`,
    }));
    const every = {
      name: words.every.replace("{text}", text),
      kind: words.material,
      href: `/materials?${new URLSearchParams({ search: text })}`,
    };
    return items.length ? [...items, every] : [];
  }

  function search(typed) {
    const data = told();
    const text = typed.trim();
    const mine = ++asked;
    clearTimeout(pause);
    found = local(data, text);
    chosen = 0;
    render(data.words, text ? "…" : "");
    if (!text) {
      return;
    }
    pause = setTimeout(function () {
      const query = new URLSearchParams({ search: text.slice(0, 100), limit: SHOWN_ITEMS });
      fetch(`${ITEMS}?${query}`, { headers: { Accept: "application/json" } })
        .then((answer) => (answer.ok ? answer.json() : Promise.reject(answer.status)))
        .then((answer) => ({ rows: answer.data, problem: "" }))
        .catch(() => ({ rows: [], problem: data.words.failed }))
        .then(function (answer) {
          if (mine !== asked) {
            return;
          }
          found = [...local(data, text), ...materialsOf(answer.rows, text, data.words)];
          render(data.words, answer.problem);
        });
    }, PAUSE_MS);
  }

  function steer(event) {
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in steps && found.length) {
      event.preventDefault();
      chosen = (chosen + steps[event.key] + found.length) % found.length;
      mark();
    } else if ((event.key === "Home" || event.key === "End") && event.ctrlKey) {
      event.preventDefault();
      chosen = event.key === "Home" ? 0 : found.length - 1;
      mark();
    } else if (event.key === "Enter") {
      event.preventDefault();
      take(chosen);
    }
  }

  function go(href) {
    window.nova.go(window.nova.carried(href));
    window.scrollTo(0, 0);
  }

  function take(place) {
    const one = found[place];
    if (!one) {
      return;
    }
    byId("palette").close();
    if (one.href) {
      go(one.href);
    } else if (one.leave) {
      window.location.assign(one.leave);
    } else if (one.dialog) {
      byId(one.dialog).showModal();
    } else {
      (one.element || document.querySelector(one.click)).click();
    }
  }

  function openPalette() {
    const dialog = byId("palette");
    if (!dialog || document.querySelector("dialog[open]")) {
      return;
    }
    build(dialog, told().words);
    byId("palette-text").value = "";
    dialog.showModal();
    search("");
  }

  /* Single keys can be switched off: speech input and unsteady hands press them unasked. */

  function keysAreOn() {
    return !document.cookie.split("; ").includes(`${KEPT}=off`);
  }

  function showSwitch() {
    const button = byId("keys-switch");
    if (button) {
      button.setAttribute("aria-pressed", String(keysAreOn()));
    }
  }

  function switchKeys() {
    const secure = window.location.protocol === "https:" ? "; Secure" : "";
    const value = keysAreOn() ? "off" : "on";
    document.cookie = `${KEPT}=${value}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
    showSwitch();
  }

  function openShortcuts() {
    showSwitch();
    byId("shortcuts").showModal();
  }

  function pageOf(letter) {
    return told().entries.find((one) => one.href && one.key === letter);
  }

  document.addEventListener("keydown", function (event) {
    if (!byId("palette") || event.isComposing) {
      return;
    }
    if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      openPalette();
      return;
    }
    const busy = event.target.closest(TYPED_INTO) || document.querySelector("dialog[open]");
    if (event.ctrlKey || event.metaKey || event.altKey || busy || !keysAreOn()) {
      return;
    }
    const followed = Date.now() - chordAt < CHORD_MS ? pageOf(event.key) : null;
    chordAt = event.key === "g" ? Date.now() : 0;
    if (followed) {
      chordAt = 0;
      go(followed.href);
    } else if (event.key === "/") {
      event.preventDefault();
      openPalette();
    } else if (event.key === "?") {
      event.preventDefault();
      openShortcuts();
    }
  });

  document.addEventListener("click", function (event) {
    const target = event.target;
    if (target.closest("#palette-open")) {
      openPalette();
    } else if (target.closest("#keys-switch")) {
      switchKeys();
    } else if (target.closest("dialog [data-close]") || target.matches("dialog.palette[open]")) {
      target.closest("dialog").close();
    }
  });
})();
