/* Open pages notice newer data, what others have decided, and that another day has begun, and show it
   in place. No library. */
(function () {
  "use strict";

  const EVERY_MS = 15000;
  const TYPING_MS = 2000;
  const SETTLED_MS = [0, 150, 500, 1200];
  const ADDRESS = "/api/v1/status";
  const FILLED_IN = "input, textarea, select";
  const DONE = ".toast .text-success";
  const DECISIONS = "[data-shows=decisions]";

  const page = window.nova.page;

  let shown = null;
  let decided = null;
  let day = window.nova.today();
  let waiting = null;
  let asking = false;
  let ended = false;
  let dirty = false;
  let typedAt = 0;
  let watchedPage = null;
  let watchedToasts = null;

  function offer() {
    return document.getElementById("data-offer");
  }

  /* A filter is in the address, so showing the page anew keeps it; anything else is not, until it is
     saved. */

  function note(event) {
    const within = event.target.closest && event.target.closest("#_pages_content");
    if (!within || !event.target.matches(FILLED_IN)) {
      return;
    }
    watchPage();
    typedAt = Date.now();
    if (!event.target.closest(".filter-bar, .tab-choice")) {
      dirty = true;
    }
  }

  document.addEventListener("input", note, true);
  document.addEventListener("change", note, true);
  document.addEventListener(
    "click",
    function (event) {
      if (event.target.closest("#_pages_content .form-field .dash-dropdown")) {
        dirty = true;
      }
    },
    true,
  );

  function watchPage() {
    const here = page();
    if (here && here !== watchedPage) {
      watchedPage = here;
      new MutationObserver(function () {
        dirty = false;
      }).observe(here, { childList: true });
    }
    const toasts = document.getElementById("toasts");
    if (toasts && toasts !== watchedToasts) {
      watchedToasts = toasts;
      new MutationObserver(function () {
        dirty = dirty && !toasts.querySelector(DONE);
      }).observe(toasts, { childList: true, subtree: true });
    }
  }

  /* What the reader had open: where they were, what was unfolded. What held the focus is the matter
     of assets/fields.js. */

  function remember() {
    const unfolded = [...page().querySelectorAll("details")].map((one) => one.open);
    return { left: window.scrollX, top: window.scrollY, unfolded: unfolded };
  }

  function restore(kept) {
    const folds = [...page().querySelectorAll("details")];
    if (folds.length === kept.unfolded.length) {
      folds.forEach((one, index) => (one.open = kept.unfolded[index]));
    }
    window.scrollTo(kept.left, kept.top);
  }

  function restoreWhenShown(kept) {
    let moved = false;
    const stop = () => (moved = true);
    ["wheel", "touchmove", "keydown", "pointerdown"].forEach((name) =>
      window.addEventListener(name, stop, { once: true, passive: true }),
    );
    const here = page();
    const held = here.style.minHeight;
    here.style.minHeight = here.offsetHeight + "px";
    const observer = new MutationObserver(function () {
      if (window.nova.isAwaited(here)) {
        return;
      }
      observer.disconnect();
      here.style.minHeight = held;
      SETTLED_MS.forEach((wait) => setTimeout(() => moved || restore(kept), wait));
    });
    observer.observe(here, { childList: true, subtree: true });
  }

  function show(told) {
    const isData = told.shown_version !== shown;
    shown = told.shown_version;
    decided = told.decided_version;
    waiting = null;
    offer().hidden = true;
    const store = isData ? "data-noticed" : "data-decided";
    window.dash_clientside.set_props(store, { data: isData ? shown : decided });
    showAnew();
  }

  function showAnew() {
    restoreWhenShown(remember());
    dirty = false;
    window.dash_clientside.set_props("_pages_location", { search: window.location.search });
  }

  /* Asked for after the server did not answer (assets/nova.js); false where it would lose something. */
  window.nova.renew = function () {
    const isFree = !dirty;
    if (isFree) {
      showAnew();
    }
    return isFree;
  };

  /* The frame tells ages in days; what is filled in is not of it. */

  function noteDay() {
    const now = window.nova.today();
    if (now !== day) {
      day = now;
      window.dash_clientside.set_props("day-turned", { data: day });
    }
  }

  /* What people have decided concerns those pages alone that show it. */

  function compare(told) {
    noteDay();
    if (!page().querySelector(DECISIONS)) {
      decided = told.decided_version;
    }
    if (told.shown_version === shown && told.decided_version === decided) {
      return;
    }
    waiting = told;
    if (dirty) {
      offer().hidden = false;
    } else if (Date.now() - typedAt > TYPING_MS) {
      show(told);
    }
  }

  function look() {
    const told = offer();
    if (!told || !page() || document.hidden || asking || ended) {
      return;
    }
    watchPage();
    shown = shown || told.dataset.version;
    decided = decided === null ? Number(told.dataset.decided) : decided;
    asking = true;
    fetch(ADDRESS, { headers: { Accept: "application/json" } })
      .then(function (answer) {
        ended = answer.status === 401;
        return answer.ok ? answer.json() : null;
      })
      .then((answer) => answer && page() && compare(answer.data))
      .catch(() => null)
      .finally(() => (asking = false));
  }

  setInterval(look, EVERY_MS);
  document.addEventListener("visibilitychange", look);
  document.addEventListener("click", function (event) {
    if (event.target.closest("#data-show") && waiting) {
      show(waiting);
    }
  });
})();
