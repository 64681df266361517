/* Pages are made anew when what they are made from changes: what holds the focus holds it in the new
   page too, and who types goes on typing. No library. */
(function () {
  "use strict";

  const PAUSE_MS = 400;
  const TYPED = ".search-input input";
  const OPTIONS = ".dash-dropdown-content";
  const NAMED = "a, button, summary, path";
  const AWAITED_MS = 5000;

  let left = null;
  let leftOn = "";
  let rank = -1;
  let lostAt = 0;
  let unsent = null;
  let timer = 0;

  const page = () => window.nova.page();

  /* A field says what was typed once the reader pauses; Enter and leaving it, which Dash hears by
     itself, say it at once. */

  function pause(event) {
    if (!event.target.matches(TYPED)) {
      return;
    }
    window.clearTimeout(timer);
    unsent = event.target;
    timer = window.setTimeout(send, PAUSE_MS, event.target);
  }

  function send(field) {
    if (field.isConnected) {
      unsent = null;
      const enter = { key: "Enter", charCode: 13, bubbles: true };
      field.dispatchEvent(new KeyboardEvent("keypress", enter));
    }
  }

  /* A field that is taken out of the page says so too, but nobody hears it. */
  function said(event) {
    window.setTimeout(function () {
      if (event.target === unsent && unsent.isConnected) {
        window.clearTimeout(timer);
        unsent = null;
      }
    });
  }

  document.addEventListener("input", pause);
  document.addEventListener("change", said);

  /* The options of a drop-down lie elsewhere; they are of the button that opened them. */
  function hold(event) {
    const within = (place) => event.target.closest && event.target.closest(place);
    if (!within(OPTIONS)) {
      left = within("#_pages_content") ? event.target : null;
      leftOn = window.location.pathname;
      rank = left ? alike(left).indexOf(left) : -1;
      lostAt = 0;
    }
  }

  document.addEventListener("focusin", hold);
  document.addEventListener("pointerdown", hold, true);

  const nameOf = (one) => one.getAttribute("aria-label") || one.textContent.trim();

  function alike(one) {
    const kin = one.matches(NAMED) ? page().querySelectorAll(one.localName) : [];
    return [...kin].filter((other) => nameOf(other) === nameOf(one));
  }

  /* The same, or what stands in its place: of the cards of a list the next one's button. */
  function successor() {
    const same = left.id && document.getElementById(left.id);
    if (same || window.nova.isAwaited(page())) {
      return same;
    }
    const kin = alike(left);
    return kin[Math.min(rank, kin.length - 1)];
  }

  /* What comes later is not what the reader was at: no button takes their next key for its own. */
  function goOn() {
    const isLost = left && !left.isConnected && document.activeElement === document.body;
    if (!isLost || !page() || leftOn !== window.location.pathname) {
      return;
    }
    lostAt = lostAt || Date.now();
    if (Date.now() - lostAt > AWAITED_MS) {
      left = null;
      return;
    }
    const [was, found] = [left, successor()];
    if (!found) {
      return;
    }
    found.focus({ preventScroll: true });
    if (found.matches(TYPED) && (was === unsent || was.value.trim() === found.value)) {
      retype(found, was);
    }
  }

  /* React takes notice of values that are set by the prototype's own setter alone. */

  function retype(field, was) {
    if (field.value !== was.value) {
      const setter = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set;
      setter.call(field, was.value);
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
    field.setSelectionRange(was.selectionStart, was.selectionEnd);
  }

  new MutationObserver(goOn).observe(document.documentElement, { childList: true, subtree: true });
})();
