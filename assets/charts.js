/* Charts as files: PNG and SVG, with title, filters and the age of the data on them. The map's are
   made with the same parts (assets/map.js). */
(function () {
  "use strict";

  const FORMATS = ["png", "svg"];
  const WIDTH = 1200;
  const HEIGHT = 675;
  const HEAD = 64;
  const FOOT = 40;
  const FOOT_LETTERS = 180;
  const DATE_WIDTH = 55;
  const LETTER_WIDTH = 7;
  const TICK_GAP = 8;
  const MONTH_MS = 30.4 * 24 * 3600 * 1000;

  function words(selector, root) {
    const found = (root || document).querySelector(selector);
    return found ? found.textContent.trim() : "";
  }

  const CHOSEN = ".dash-dropdown-value-item, .form-check:has(input:checked)";

  function titleOf(chart) {
    const card = chart.closest(".surface");
    return [words("h1"), card ? words(".card-title", card) : ""].filter(Boolean).join(" – ");
  }

  /* A filter as the page's own control names it and its values; nothing of what has no control, or
     only orders a list. */
  function filterOf(name, values) {
    const control = document.getElementById(JSON.stringify({ name: name, type: "filter" }));
    const field = control && control.closest("[role=group], fieldset");
    const label = field ? words(".field-label", field) : "";
    if (!label || name === "sort") {
      return "";
    }
    const chosen = Array.from(control.querySelectorAll(CHOSEN));
    const shown = chosen.length ? chosen.map((one) => one.textContent.trim()) : values;
    return `${label}: ${shown.join(", ")}`;
  }

  /* As lines that fit below a picture. */
  function sourceOf() {
    const asked = new URLSearchParams(window.location.search);
    const names = Array.from(new Set(asked.keys()));
    const filters = names.map((name) => filterOf(name, asked.getAll(name)));
    const parts = ["Nova Corrente", words("#freshness"), words(".notice-demo"), ...filters];
    return parts.filter(Boolean).reduce(function (lines, part) {
      const last = lines.pop();
      const longer = last === undefined ? part : `${last} · ${part}`;
      return lines.concat(longer.length > FOOT_LETTERS && last ? [last, part] : [longer]);
    }, []);
  }

  function escaped(text) {
    const holder = document.createElement("span");
    holder.textContent = text;
    return holder.innerHTML.replaceAll("$", "&#36;");
  }

  function line(text, y, anchor, size) {
    return {
      text: text,
      x: 0,
      xref: "container",
      xanchor: "left",
      y: y,
      yref: "paper",
      yanchor: anchor,
      showarrow: false,
      font: { size: size },
    };
  }

  /* A copy of what is drawn, larger, with room for the words above and below. */
  function figureOf(chart) {
    const drawn = chart.layout;
    const surface = window.getComputedStyle(chart.closest(".surface") || document.body);
    const margin = Object.assign({ l: 80, r: 80, t: 40, b: 60 }, drawn.margin);
    const layout = Object.assign({}, drawn, {
      width: WIDTH,
      height: HEIGHT,
      autosize: false,
      paper_bgcolor: surface.backgroundColor,
      margin: Object.assign({}, margin, { t: margin.t + HEAD, b: margin.b + FOOT }),
      title: { text: escaped(titleOf(chart)), x: 0.02, y: 0.97, font: { size: 20 } },
    });
    const foot = line(sourceOf().map(escaped).join("<br>"), 0, "bottom", 11);
    const below = -(margin.b + FOOT - 4);
    Object.assign(foot, { align: "left", xref: "paper", yshift: below, x: 0 });
    layout.annotations = (drawn.annotations || []).concat([foot]);
    if (chart.novaTicks) {
      layout.xaxis = Object.assign({}, drawn.xaxis, chart.novaTicks.asked);
    }
    const spoken = { locale: chart._context.locale, locales: chart._context.locales };
    return { data: chart.data, layout: layout, config: spoken };
  }

  function nameOf(chart, format) {
    const holder = chart.closest("[id]");
    const page = window.location.pathname.replaceAll("/", "-");
    return `nova${page}-${holder ? holder.id : "chart"}-${window.nova.today()}.${format}`;
  }

  function offer(address, name) {
    const link = document.createElement("a");
    link.href = address;
    link.download = name;
    link.click();
  }

  function save(chart, format) {
    const size = { format: format, width: WIDTH, height: HEIGHT, scale: format === "png" ? 2 : 1 };
    const made = window.Plotly.toImage(figureOf(chart), size);
    made.then((address) => offer(address, nameOf(chart, format)));
  }

  function tools(chart, saveAs) {
    const box = document.createElement("div");
    const label = document.getElementById("chart-templates").dataset.download;
    box.className = "chart-tools";
    FORMATS.forEach(function (format) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = format.toUpperCase();
      button.setAttribute("aria-label", `${label} ${format.toUpperCase()}: ${titleOf(chart)}`);
      button.addEventListener("click", () => saveAs(chart, format));
      box.append(button);
    });
    return box;
  }

  /* Marks that stand for a value of a shared filter narrow the page to it (layouts/charts.py). */
  function narrow(event) {
    const point = event.points[0];
    const meta = point.data.meta;
    if (meta && meta.filter && meta.values[point.pointNumber]) {
      window.nova.toggle(meta.filter, meta.values[point.pointNumber]);
    }
  }

  /* Plotly looks what is under the pointer every 50 ms at most and, while a button is down, finds
     nothing: a click soon after the pointer came would hit no mark. Made to forget when it last
     looked, it looks once more as the button goes up. */
  let pressed = null;

  document.addEventListener(
    "mousedown",
    function (event) {
      pressed = event.target.closest(".chart-narrows .js-plotly-plot");
    },
    true,
  );

  document.addEventListener(
    "mouseup",
    function () {
      if (pressed) {
        window.Plotly.Fx.unhover(pressed, {});
      }
      pressed = null;
    },
    true,
  );

  /* A finger on a chart scrolls the page, where Plotly would begin to zoom; a tap comes as a click. */
  document.addEventListener(
    "touchstart",
    function (event) {
      if (event.target.closest(".js-plotly-plot")) {
        event.stopPropagation();
      }
    },
    { capture: true, passive: true },
  );

  /* The same for the keyboard, from the table below the chart (layouts/components/table.py). */
  document.addEventListener("click", function (event) {
    const button = event.target.closest("button[data-narrow]");
    if (button) {
      window.nova.toggle(button.dataset.narrow, button.dataset.value);
    }
  });

  /* What the axis below a chart is asked to write: its list, each so many months, or how many dates. */
  function ticksOf(axis) {
    if (axis.tickmode === "array" && axis.type === "linear" && axis.ticktext) {
      return { tickvals: axis.tickvals, ticktext: axis.ticktext };
    }
    if (axis.type === "date" && axis.tickmode === "linear" && String(axis.dtick)[0] === "M") {
      return { dtick: axis.dtick };
    }
    const counted = axis.tickmode === "auto" && axis.type === "date" && axis.nticks;
    return counted ? { nticks: axis.nticks } : null;
  }

  /* As much of it as has room. */
  function fittingTicks(axis, asked) {
    if (asked.nticks) {
      return { nticks: Math.max(2, Math.min(asked.nticks, Math.floor(axis._length / DATE_WIDTH))) };
    }
    if (asked.dtick) {
      const [from, to] = axis.range.map((day) => new Date(day));
      const wide = (axis._length * MONTH_MS) / (to - from);
      return { dtick: `M${Math.max(Number(asked.dtick.slice(1)), Math.ceil(DATE_WIDTH / wide))}` };
    }
    const [first, second] = asked.tickvals;
    const apart = (axis._length * (second - first)) / (axis.range[1] - axis.range[0]);
    const wide = TICK_GAP + LETTER_WIDTH * Math.max(...asked.ticktext.map((text) => text.length));
    const step = Math.ceil(wide / apart) || 1;
    const kept = (list) => list.filter((_, place) => place % step === 0);
    return { tickvals: kept(asked.tickvals), ticktext: kept(asked.ticktext) };
  }

  /* Plotly turns what has no room below a narrow chart: there less of it is written, and all of it
     once the chart is wide. */
  function fitTicks(chart) {
    const drawn = chart._fullLayout;
    const axis = drawn && drawn.xaxis;
    const shown = axis && ticksOf(axis);
    if (!shown) {
      return;
    }
    const known = chart.novaTicks || {};
    const isOurs = JSON.stringify(shown) === JSON.stringify(known.given);
    if (isOurs && drawn.width === known.width) {
      return;
    }
    const asked = isOurs ? known.asked : shown;
    const given = fittingTicks(axis, asked);
    chart.novaTicks = { asked: asked, given: given, width: drawn.width };
    if (JSON.stringify(given) !== JSON.stringify(shown)) {
      const named = Object.entries(given).map(([name, value]) => [`xaxis.${name}`, value]);
      window.Plotly.relayout(chart, Object.fromEntries(named));
    }
  }

  function equip() {
    document.querySelectorAll(".chart .js-plotly-plot").forEach(function (chart) {
      if (window.nova) {
        window.nova.paint(chart);
      }
      fitTicks(chart);
      const holder = chart.closest(".chart");
      const narrows = chart.data && chart.data.some((trace) => trace.meta && trace.meta.filter);
      if (narrows && !holder.classList.contains("chart-narrows")) {
        holder.classList.add("chart-narrows");
        chart.on("plotly_click", narrow);
      }
      if (chart.layout && !holder.querySelector(":scope > .chart-tools")) {
        holder.append(tools(chart, save));
      }
    });
  }

  window.novaFiles = {
    WIDTH: WIDTH,
    HEIGHT: HEIGHT,
    HEAD: HEAD,
    FOOT: FOOT,
    titleOf: titleOf,
    sourceOf: sourceOf,
    nameOf: nameOf,
    offer: offer,
    tools: tools,
  };

  let waiting = 0;
  new MutationObserver(function () {
    window.clearTimeout(waiting);
    waiting = window.setTimeout(equip, 200);
  }).observe(document.documentElement, { childList: true, subtree: true });
})();
