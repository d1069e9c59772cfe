// What stands on the page: the decision, its probabilities and images, plots, the list, the contract.
"use strict";
globalThis.vskd = globalThis.vskd || {};

(function (vskd) {
  const SHOWN = 6, MOST_ROWS = 500, FIELDS = { gasf: "sums", gadf: "differences" };
  const $ = (id) => document.getElementById(id);

  function element(kind, text, attributes = {}) {
    const made = document.createElement(kind);
    if (text) made.textContent = text;
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  }

  function showContract(contract) {
    const { device, length } = contract, classes = contract.labels.length;
    document.title = `${contract.recipe}: ${contract.stream} to label`;
    $("title").textContent = contract.recipe;
    $("summary").textContent = `${classes} classes from the ${contract.stream}${contract.placement ? `, ${contract.placement}` : ""}.`;
    const facts = [
      ["Unit and axes", `${contract.unit}; ${contract.axes.join(", ")}`],
      ["Rate of a recording", `${Number(device.rate_hz.toFixed(3))} samples a second`],
      ["Window", `${length} samples of each axis`],
      ["Range of the sensor", `±${contract.range_limit} ${contract.unit}`],
      ["Trained on", contract.dataset],
      ["Classes", contract.labels.join(", ")],
      ["Bundle (SHA-256 of its manifest)", contract.bundle],
      ["Made by", `vskd ${contract.version}`],
    ];
    $("contract").replaceChildren(
      ...facts.map(([name, value]) => {
        const pair = element("div", "", value.length > 40 ? { class: "wide" } : {});
        pair.append(element("dt", name), element("dd", value));
        return pair;
      }),
    );
    $("legend").replaceChildren(...contract.axes.map((axis) => element("li", `${axis} (${contract.unit})`)));
  }

  function colourLegend() {
    [...$("legend").children].forEach((item, k) => {
      item.querySelector("span")?.remove();
      const swatch = element("span", "", { "aria-hidden": "true" });
      swatch.style.background = vskd.axisColour(k);
      item.prepend(swatch);
    });
  }

  function showProbabilities(decision, contract) {
    const parts = decision?.probabilities || [];
    const order = parts.map((_, k) => k).sort((a, b) => parts[b] - parts[a] || a - b);
    $("probabilities").replaceChildren(
      ...order.slice(0, SHOWN).map((k) => {
        const item = element("li"), bar = element("span", "", { class: "bar", "aria-hidden": "true" }), fill = element("span");
        fill.style.width = `${100 * parts[k]}%`;
        bar.append(fill);
        item.append(element("span", contract.labels[k], { class: "name" }), element("span", vskd.percent(parts[k]), { class: "value" }), bar);
        return item;
      }),
    );
  }

  function showImages(decision, firmware, contract) {
    const { images, side } = contract.encoding;
    if (!images.length || !decision?.window) return;
    $("images-card").hidden = false;
    const input = firmware.encode(decision.window), box = $("images"), count = images.length * contract.axes.length;
    while (box.children.length < count) {
      const field = images[Math.floor(box.children.length / contract.axes.length)];
      const name = `${contract.axes[box.children.length % contract.axes.length]}, ${FIELDS[field]}`;
      const figure = element("figure");
      figure.append(element("canvas", "", { role: "img", "aria-label": `${field.toUpperCase()} image of ${name}` }), element("figcaption", name));
      box.append(figure);
    }
    [...box.querySelectorAll("canvas")].forEach((canvas, k) => vskd.drawImage(canvas, input, k * side * side, side, contract.input));
  }

  function showDecision(decision, firmware, contract) {
    $("label").textContent = decision ? vskd.nameOf(decision, contract) : "–";
    $("reason").textContent = decision ? vskd.sentence(vskd.reasonOf(decision, contract)) : "No window yet.";
    $("time").textContent = vskd.timeText(decision ? decision.time : 0);
    showProbabilities(decision, contract);
    showImages(decision, firmware, contract);
  }

  /** Said aloud only where it changes, so that a screen reader is not drowned. */
  function speak(decision, contract) {
    const name = vskd.nameOf(decision, contract);
    if ($("spoken").dataset.name === name) return;
    $("spoken").dataset.name = name;
    $("spoken").textContent = decision.status ? `${vskd.timeText(decision.time)}: ${vskd.reasonOf(decision, contract)}` : `${vskd.timeText(decision.time)}: ${name}`;
  }

  function rowOf(decision, contract) {
    const row = element("tr");
    row.append(
      element("td", vskd.timeText(decision.time)),
      element("td", vskd.nameOf(decision, contract)),
      element("td", vskd.reasonOf(decision, contract)),
    );
    return row;
  }

  function showList(decisions, contract) {
    $("count").textContent = decisions.length;
    if (!$("list").open) return;
    const rows = decisions.slice(-MOST_ROWS);
    $("list-note").hidden = rows.length === decisions.length;
    $("list-note").textContent = `The last ${rows.length} of ${decisions.length}.`;
    $("rows").replaceChildren(...rows.map((decision) => rowOf(decision, contract)));
  }

  function showProblem(text) {
    $("problem").hidden = !text;
    $("problem").textContent = text || "";
  }

  Object.assign(vskd, { $, showContract, colourLegend, showDecision, speak, showList, showProblem });
})(globalThis.vskd);
