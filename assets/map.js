/* The map of Brazil: colours of UFs, words on hover, click and keys. Called by dash-leaflet. */
(function () {
  "use strict";

  function classOf(value, steps) {
    let found = -1;
    steps.forEach(function (bound, index) {
      if (value !== null && value !== undefined && value >= bound) {
        found = index;
      }
    });
    return found;
  }

  function style(feature, context) {
    const shown = context.hideout;
    const uf = feature.properties.uf;
    const place = classOf(shown.values[uf], shown.steps);
    const chosen = shown.chosen.includes(uf);
    return {
      className: "map-uf " + (place < 0 ? "map-none" : "map-step-" + place),
      fillOpacity: 1,
      weight: chosen ? 3 : 1,
    };
  }

  /* Reachable by keys: what the tooltip says is the path's name too. */
  function reachable(layer, text, attributes, act) {
    const words = document.createElement("span");
    words.textContent = text;
    layer.bindTooltip(words, { sticky: true });
    layer.on("add", function () {
      const path = layer.getElement();
      if (!path) {
        return;
      }
      const told = Object.assign({ tabindex: "0", "aria-label": text }, attributes);
      Object.entries(told).forEach((pair) => path.setAttribute(...pair));
      path.addEventListener("focus", () => layer.openTooltip());
      path.addEventListener("blur", () => layer.closeTooltip());
      path.addEventListener("keydown", function (event) {
        if (act && (event.key === "Enter" || event.key === " ")) {
          event.preventDefault();
          act();
        }
      });
    });
    if (act) {
      layer.on("click", act);
    }
  }

  function onEachFeature(feature, layer, context) {
    const shown = context.hideout;
    const uf = feature.properties.uf;
    const text = shown.labels[uf];
    if (text !== undefined) {
      const pressed = { role: "button", "aria-pressed": String(shown.chosen.includes(uf)) };
      reachable(layer, text, pressed, () => window.nova.toggle("uf", uf));
    }
  }

  function placeToLayer(feature, where) {
    const told = feature.properties;
    const marker = window.L.circleMarker(where, {
      className: "map-" + told.kind,
      radius: told.kind === "depot" ? 6 : 4,
      weight: told.chosen ? 3 : 1,
      fillOpacity: 1,
    });
    if (told.depot) {
      const pressed = { role: "button", "aria-pressed": String(told.chosen) };
      reachable(marker, told.label, pressed, () => window.nova.toggle("site", told.depot));
    } else {
      reachable(marker, told.label, { role: "img" });
    }
    return marker;
  }

  function eachMove(feature, layer) {
    const told = feature.properties;
    reachable(layer, told.label, { role: "link" }, () => window.nova.go(told.href));
  }

  /* The map as a file: what its panes hold drawn anew, with its legend, head and foot. */

  const SVG = "http://www.w3.org/2000/svg";
  const LEGEND = 280;
  const MARGIN = 24;
  const LINE = 24;
  const FOOT_LINE = 15;
  const DRAWN = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "opacity"];

  function made(name, attributes, text) {
    const element = document.createElementNS(SVG, name);
    Object.entries(attributes).forEach((pair) => element.setAttribute(...pair));
    if (text !== undefined) {
      element.textContent = text;
    }
    return element;
  }

  function pathsOf(frame, box) {
    const drawings = Array.from(frame.querySelectorAll(".leaflet-pane svg"));
    const above = (one) => Number(window.getComputedStyle(one.closest(".leaflet-pane")).zIndex);
    drawings.sort((one, other) => above(one) - above(other));
    return drawings.map(function (drawn) {
      const at = drawn.getBoundingClientRect();
      const [left, top] = drawn.getAttribute("viewBox").split(" ").map(Number);
      const move = `translate(${at.left - box.left - left} ${at.top - box.top - top})`;
      const group = made("g", { transform: move });
      drawn.querySelectorAll("path").forEach(function (path) {
        const copy = made("path", { d: path.getAttribute("d") || "" });
        const style = window.getComputedStyle(path);
        DRAWN.forEach((name) => copy.setAttribute(name, style.getPropertyValue(name)));
        group.append(copy);
      });
      return group;
    });
  }

  function clustersOf(frame, box, ink, surface) {
    return Array.from(frame.querySelectorAll(".marker-cluster")).map(function (cluster) {
      const at = cluster.getBoundingClientRect();
      const group = made("g", {});
      const x = at.left - box.left + at.width / 2;
      const y = at.top - box.top + at.height / 2;
      group.append(
        made("circle", { cx: x, cy: y, r: at.width / 2, fill: surface, stroke: ink }),
        made(
          "text",
          { x: x, y: y + 4, fill: ink, "font-size": 12, "text-anchor": "middle" },
          cluster.textContent.trim(),
        ),
      );
      return group;
    });
  }

  function legendOf(card, x, y, ink) {
    return Array.from(card.querySelectorAll(".map-legend li")).map(function (entry, index) {
      const swatch = window.getComputedStyle(entry.querySelector(".map-swatch"));
      const group = made("g", { transform: `translate(${x} ${y + index * LINE})` });
      group.append(
        made("rect", { width: 20, height: 14, fill: swatch.backgroundColor, stroke: ink }),
        made("text", { x: 30, y: 12, fill: ink, "font-size": 14 }, entry.textContent.trim()),
      );
      return group;
    });
  }

  function drawingOf(frame) {
    const files = window.novaFiles;
    const box = frame.getBoundingClientRect();
    const card = frame.closest(".surface");
    const style = window.getComputedStyle(card);
    const [ink, surface] = [style.color, style.backgroundColor];
    const width = files.WIDTH - LEGEND - 2 * MARGIN;
    const height = files.HEIGHT - files.HEAD - files.FOOT;
    const whole = made("svg", {
      xmlns: SVG,
      width: files.WIDTH,
      height: files.HEIGHT,
      viewBox: `0 0 ${files.WIDTH} ${files.HEIGHT}`,
      "font-family": style.fontFamily,
    });
    const map = made("svg", {
      x: MARGIN,
      y: files.HEAD,
      width: width,
      height: height,
      viewBox: `0 0 ${box.width} ${box.height}`,
    });
    map.append(...pathsOf(frame, box), ...clustersOf(frame, box, ink, surface));
    const source = files.sourceOf();
    const foot = source.map(function (words, index) {
      const y = files.HEIGHT - 8 - FOOT_LINE * (source.length - 1 - index);
      return made("text", { x: MARGIN, y: y, fill: ink, "font-size": 11 }, words);
    });
    whole.append(
      made("rect", { width: files.WIDTH, height: files.HEIGHT, fill: surface }),
      made("text", { x: MARGIN, y: 38, fill: ink, "font-size": 20 }, files.titleOf(frame)),
      map,
      ...legendOf(card, files.WIDTH - LEGEND, files.HEAD, ink),
      ...foot,
    );
    return whole;
  }

  function rastered(address, width, height) {
    return new Promise(function (resolve) {
      const image = new Image();
      image.onload = function () {
        const canvas = document.createElement("canvas");
        [canvas.width, canvas.height] = [2 * width, 2 * height];
        canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
        resolve(canvas.toDataURL("image/png"));
      };
      image.src = address;
    });
  }

  function save(frame, format) {
    const files = window.novaFiles;
    const text = new XMLSerializer().serializeToString(drawingOf(frame));
    const address = "data:image/svg+xml," + encodeURIComponent(text);
    const whole = format === "png" ? rastered(address, files.WIDTH, files.HEIGHT) : address;
    Promise.resolve(whole).then((made) => files.offer(made, files.nameOf(frame, format)));
  }

  new MutationObserver(function () {
    const frame = document.querySelector(".map-frame");
    if (frame && frame.querySelector("path") && !frame.querySelector(":scope > .chart-tools")) {
      frame.append(window.novaFiles.tools(frame, save));
    }
  }).observe(document.documentElement, { childList: true, subtree: true });

  window.novaMap = {
    style: style,
    onEachFeature: onEachFeature,
    placeToLayer: placeToLayer,
    eachMove: eachMove,
  };
})();
