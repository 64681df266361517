/* What AG Grid's columns call: numbers and dates in the reader's notation, links, badges. */
(function () {
  "use strict";

  const UNKNOWN = "—";
  const functions = (window.dashAgGridFunctions = window.dashAgGridFunctions || {});
  const components = (window.dashAgGridComponentFunctions =
    window.dashAgGridComponentFunctions || {});

  function written(params, options) {
    const value = params.value;
    if (value === null || value === undefined) {
      return UNKNOWN;
    }
    /* As domain/rounding.py: without what floats lose in adding up, and no zero has a sign. */
    const digits = options.maximumFractionDigits + (options.style === "percent" ? 2 : 0);
    const exact = Number(Number(value).toFixed(digits + 6));
    const shown = { signDisplay: "negative", ...options };
    return new Intl.NumberFormat(params.context.locale, shown).format(exact);
  }

  function digitsOf(digits) {
    return { minimumFractionDigits: digits, maximumFractionDigits: digits };
  }

  functions.novaNumber = (params, digits) => written(params, digitsOf(digits));

  /* As fmt.supply. */
  functions.novaSupply = function (params, most) {
    const isLonger = Math.round(params.value) > most;
    const shown = written(isLonger ? { ...params, value: most } : params, digitsOf(0));
    return isLonger ? `> ${shown}` : shown;
  };

  functions.novaQuantity = function (params) {
    const size = Math.abs(params.value || 0);
    return written(params, { maximumFractionDigits: size >= 100 ? 0 : size >= 1 ? 1 : 2 });
  };

  /* R$ 1,234 in English too, as the server writes it. */
  function money(params, digits) {
    const options = { style: "currency", currency: "BRL", ...digits };
    return written(params, options).replace(/R\$\s*/, "R$\u00a0");
  }

  functions.novaMoney = (params, digits) => money(params, digitsOf(digits));

  /* Of one unit, as fmt.price writes it. */
  functions.novaPrice = function (params) {
    const most = Math.abs(params.value || 0) < 1 ? 4 : 2;
    return money(params, { minimumFractionDigits: 2, maximumFractionDigits: most });
  };

  functions.novaPercent = (params, digits) =>
    written(params, { style: "percent", ...digitsOf(digits) });

  /* A difference of two shares, as fmt.points writes it. */
  functions.novaPoints = function (params, digits) {
    const value = params.value && 100 * params.value;
    const shown = written({ ...params, value }, { ...digitsOf(digits), signDisplay: "exceptZero" });
    return shown === UNKNOWN ? shown : `${shown}\u00a0p.p.`;
  };

  functions.novaDate = function (params) {
    if (!params.value) {
      return UNKNOWN;
    }
    const parts = params.value.split("-").map(Number);
    const day = new Date(Date.UTC(parts[0], parts[1] - 1, parts[2]));
    const pattern =
      params.context.locale === "pt-BR"
        ? { day: "2-digit", month: "2-digit", year: "numeric" }
        : { day: "numeric", month: "short", year: "numeric" };
    return day.toLocaleDateString(params.context.locale, { ...pattern, timeZone: "UTC" });
  };

  functions.novaMoment = function (params) {
    if (!params.value) {
      return UNKNOWN;
    }
    return new Date(params.value).toLocaleString(params.context.locale, {
      dateStyle: params.context.locale === "pt-BR" ? "short" : "medium",
      timeStyle: "short",
      timeZone: "America/Sao_Paulo",
    });
  };

  /* The server has sorted: every row equals every other, so they stay as they came. */
  functions.novaKeepOrder = () => 0;

  /* Where one row is chosen, the choice follows the focus: a click, or the arrow keys. */
  functions.novaChooseFocused = function (params) {
    const row = params.rowIndex === null ? null : params.api.getDisplayedRowAtIndex(params.rowIndex);
    if (row && !params.rowPinned && !row.isSelected()) {
      row.setSelected(true, true);
    }
  };

  function follow(event) {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button) {
      return;
    }
    event.preventDefault();
    window.history.pushState({}, "", event.currentTarget.getAttribute("href"));
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
    window.scrollTo(0, 0);
  }

  components.NovaLink = function (params) {
    const href = params.data[params.colDef.cellRendererParams.href];
    const text = params.value || UNKNOWN;
    if (!href) {
      return text;
    }
    return React.createElement("a", { href: href, onClick: follow, className: "grid-link" }, text);
  };

  components.NovaBadge = function (params) {
    const kind = params.data[params.colDef.field + "_kind"];
    const colour = params.data[params.colDef.field + "_colour"];
    const mark = React.createElement("span", {
      className: kind ? "icon icon-level-" + kind : "swatch",
      style: colour ? { background: colour } : undefined,
      "aria-hidden": "true",
    });
    const name = kind ? "badge-level badge-level-" + kind : "badge-plain";
    return React.createElement("span", { className: name }, mark, params.value);
  };
})();
