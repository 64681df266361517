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

  function onEachFeature(feature, layer, context) {
    const shown = context.hideout;
    const uf = feature.properties.uf;
    const text = shown.labels[uf];
    if (text === undefined) {
      return;
    }
    const words = document.createElement("span");
    words.textContent = text;
    layer.bindTooltip(words, { sticky: true });
    layer.on("click", () => window.nova.toggle("uf", uf));
    layer.on("add", function () {
      const path = layer.getElement();
      if (!path) {
        return;
      }
      path.setAttribute("tabindex", "0");
      path.setAttribute("role", "button");
      path.setAttribute("aria-label", text);
      path.setAttribute("aria-pressed", String(shown.chosen.includes(uf)));
      path.addEventListener("keydown", function (event) {
        if (event.key === "Enter" || event.key === " ") {
          event.preventDefault();
          window.nova.toggle("uf", uf);
        }
      });
    });
  }

  function placeToLayer(feature, where) {
    const marker = window.L.circleMarker(where, {
      className: "map-" + feature.properties.kind,
      radius: feature.properties.kind === "depot" ? 6 : 4,
      weight: 1,
      fillOpacity: 1,
    });
    const words = document.createElement("span");
    words.textContent = feature.properties.label;
    return marker.bindTooltip(words);
  }

  window.novaMap = { style: style, onEachFeature: onEachFeature, placeToLayer: placeToLayer };
})();
