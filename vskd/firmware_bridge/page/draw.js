// Canvases: the signal with the window that was looked at, the timeline below it, and the images that the model sees.
"use strict";
globalThis.vskd = globalThis.vskd || {};

(function (vskd) {
  const SIGNAL_HEIGHT = 230, LANE_HEIGHT = 44, MARGIN = 44;

  const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const axisColour = (k) => style(`--axis-${k % 6}`);

  /** A canvas as wide as its box, sharp on any screen; its context in CSS pixels. */
  function surface(canvas, height) {
    const ratio = devicePixelRatio || 1, width = canvas.parentElement.clientWidth;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.height = `${height}px`;
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    context.font = `12px ${style("--font")}`;
    return { context, width };
  }

  function niceStep(span, most) {
    const rough = span / most, power = 10 ** Math.floor(Math.log10(rough));
    return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= rough);
  }

  function rangeOf(signal, first, last, limit) {
    let low = Infinity, high = -Infinity;
    for (const row of signal) {
      for (let n = first; n < last; n += 1) {
        if (!Number.isFinite(row[n])) continue;
        low = Math.min(low, row[n]);
        high = Math.max(high, row[n]);
      }
    }
    if (low > high) return [-1, 1];
    const room = Math.max(0.05 * (high - low), 0.02 * limit);
    return [low - room, high + room];
  }

  function drawLine(context, row, times, view, yOf) {
    context.beginPath();
    let down = false;
    for (let n = view.first; n < view.last; n += view.every) {
      const isHole = !Number.isFinite(row[n]) || (n > view.first && times[n] - times[n - view.every] > view.gap * view.every);
      if (isHole) down = false;
      if (!Number.isFinite(row[n])) continue;
      const x = view.xOf(times[n]), y = yOf(row[n]);
      if (down) context.lineTo(x, y);
      else context.moveTo(x, y);
      down = true;
    }
    context.stroke();
  }

  function drawScale(context, low, high, yOf, width) {
    const step = niceStep(high - low, 4);
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (let value = Math.ceil(low / step) * step; value <= high; value += step) {
      context.fillStyle = style("--line");
      context.fillRect(MARGIN, yOf(value), width - MARGIN, 1);
      context.fillStyle = style("--quiet");
      context.fillText(String(Number(value.toFixed(6))), MARGIN - 6, yOf(value));
    }
  }

  /** Signal of each axis, in the contract's unit; the shown window is a band. `view`: see `viewOf`. */
  function drawSignal(canvas, signal, times, view, band, limit) {
    const { context, width } = surface(canvas, SIGNAL_HEIGHT);
    const [low, high] = rangeOf(signal, view.first, view.last, limit);
    const yOf = (value) => SIGNAL_HEIGHT - 6 - ((value - low) / (high - low)) * (SIGNAL_HEIGHT - 12);
    if (band) {
      context.fillStyle = style("--band");
      context.fillRect(view.xOf(band[0]), 0, Math.max(2, view.xOf(band[1]) - view.xOf(band[0])), SIGNAL_HEIGHT);
    }
    drawScale(context, low, high, yOf, width);
    context.lineWidth = 1.6;
    context.lineJoin = "round";
    signal.forEach((row, k) => {
      context.strokeStyle = axisColour(k);
      drawLine(context, row, times, view, yOf);
    });
  }

  /** A text cut to a width; empty where nothing worth reading would be left. */
  function fitting(context, text, width) {
    if (context.measureText(text).width <= width) return text;
    let length = text.length - 1;
    while (length > 2 && context.measureText(`${text.slice(0, length)}…`).width > width) length -= 1;
    return length > 2 ? `${text.slice(0, length)}…` : "";
  }

  function lane(context, from, to, decision, contract) {
    const width = Math.max(1, to - from - 1), name = vskd.nameOf(decision, contract);
    const isLabel = decision.status === 0 && decision.label >= 0;
    context.fillStyle = isLabel ? vskd.labelColour(decision.label) : style(decision.status ? "--wrong" : "--unknown");
    context.fillRect(from, 0, width, LANE_HEIGHT - 18);
    const text = fitting(context, name, width - 8);
    if (!text) return;
    context.fillStyle = style(decision.status ? "--wrong-ink" : "--lane-ink");
    context.textAlign = "left";
    context.textBaseline = "middle";
    context.fillText(text, from + 4, (LANE_HEIGHT - 18) / 2);
  }

  /** Neighbours that say the same, as one piece of the lane. */
  function piecesOf(decisions, view) {
    const pieces = [];
    decisions.forEach((decision, n) => {
      const from = n ? decisions[n - 1].time : decision.time - view.stride;
      const start = Math.max(from, decision.time - view.stride), last = pieces[pieces.length - 1];
      const same = last && last.decision.status === decision.status && last.decision.label === decision.label;
      if (same && start - last.to < 1e-6) last.to = decision.time;
      else pieces.push({ from: start, to: decision.time, decision });
    });
    return pieces.filter((piece) => piece.to >= view.from && piece.from <= view.to);
  }

  /** Decisions over time, the shown one marked, with seconds below. */
  function drawTimeline(canvas, decisions, shown, view, contract) {
    const { context, width } = surface(canvas, LANE_HEIGHT);
    for (const { from, to, decision } of piecesOf(decisions, view)) {
      lane(context, Math.max(MARGIN, view.xOf(from)), Math.min(width, view.xOf(to)), decision, contract);
    }
    context.textAlign = "center";
    context.textBaseline = "bottom";
    context.fillStyle = style("--quiet");
    const step = niceStep(view.to - view.from, Math.max(2, (width - MARGIN) / 90));
    for (let at = Math.ceil(view.from / step) * step; at <= view.to; at += step) {
      const x = view.xOf(at);
      if (x < width - 20) context.fillText(`${Number(at.toFixed(3))} s`, Math.max(x, MARGIN + 12), LANE_HEIGHT);
    }
    if (!shown) return;
    context.fillStyle = style("--ink");
    context.fillRect(view.xOf(shown.time) - 1, 0, 2, LANE_HEIGHT - 16);
  }

  /** What part of a stream is drawn: `seconds` around a moment, or all that fits. */
  function viewOf(canvas, times, moment, seconds, stride, gap) {
    const width = canvas.parentElement.clientWidth, end = times.length ? times[times.length - 1] : 0;
    const from = Math.max(0, Math.min(moment - seconds / 2, end - seconds)), to = Math.max(from + Math.min(seconds, end), from + 1e-3);
    const first = Math.max(0, times.findIndex((time) => time >= from) - 1);
    const after = times.findIndex((time) => time > to), last = after < 0 ? times.length : after + 1;
    const xOf = (time) => MARGIN + ((time - from) / (to - from)) * (width - MARGIN);
    return { from, to, first, last, every: Math.max(1, Math.floor((last - first) / (2 * width))), xOf, stride, gap };
  }

  /** -1 ... 1 to blue, paper, orange. */
  function fieldColour(value) {
    const [cold, paper, warm] = [[33, 102, 172], [247, 247, 247], [178, 74, 12]], part = Math.min(1, Math.abs(value));
    const end = value < 0 ? cold : warm;
    return paper.map((channel, k) => Math.round(channel + part * (end[k] - channel)));
  }

  /** One square image of the model's int8 input. */
  function drawImage(canvas, input, start, side, { scale, zero_point: zero }) {
    canvas.width = canvas.height = side;
    const context = canvas.getContext("2d"), image = context.createImageData(side, side);
    for (let n = 0; n < side * side; n += 1) {
      const colour = fieldColour((input[start + n] - zero) * scale);
      image.data.set([...colour, 255], 4 * n);
    }
    context.putImageData(image, 0, 0);
  }

  /** Far hues for neighbouring labels. */
  const labelColour = (label) => `hsl(${Math.round(label * 137.508 + 205) % 360} ${style("--lane-saturation")} ${style("--lane-lightness")})`;

  Object.assign(vskd, { drawSignal, drawTimeline, drawImage, viewOf, labelColour, axisColour });
})(globalThis.vskd);
