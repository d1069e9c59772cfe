// The controls: example, recording, motion sensor; play and position.
"use strict";

(function (vskd) {
  const { $, contract } = vskd;
  const PIECE = 2048, VIEW_S = 30, LIVE_S = 12, LONGEST_PAUSE_MS = 2000, NO_EVENT_MS = 3000, DRAW_MS = 50;
  const LIVE_SAMPLES = 20000, LIVE_DECISIONS = 2000;
  const state = { firmware: null, signal: [], times: [], decisions: [], shown: -1, start: 0, listening: null, playing: 0, run: 0 };
  vskd.state = state; // for tests

  const stride = () => (state.decisions.length > 1 ? shortestStep(state.decisions) : contract.device.checked / contract.device.rate_hz);

  function shortestStep(decisions) {
    const steps = decisions.slice(1).map((d, n) => d.time - decisions[n].time).filter((step) => step > 0).sort((a, b) => a - b);
    return steps.length ? steps[steps.length >> 1] : 1;
  }

  function clear() {
    stopListening();
    stopPlaying();
    state.run += 1;
    state.firmware.reset();
    Object.assign(state, { signal: contract.axes.map(() => []), times: [], decisions: [], shown: -1 });
    vskd.showProblem("");
    $("spoken").dataset.name = "";
  }

  /** Take samples into the plots, in the contract's unit, and into the module. */
  function take(samples, times) {
    const { axes, signs, factor, rate_hz: rate } = contract.device, width = state.firmware.axes, known = state.times.length;
    for (let n = 0; n * width < samples.length; n += 1) {
      if (times && !state.times.length) state.start = Number(times[0]);
      state.times.push(times ? (Number(times[n]) - state.start) / 1e6 : (known + n) / rate);
      axes.forEach((axis, k) => state.signal[k].push(samples[n * width + axis] * factor * signs[k]));
    }
    for (const decision of state.firmware.push(samples, times)) {
      decision.time = times ? (decision.timeUs - state.start) / 1e6 : decision.sample / rate;
      state.decisions.push(decision);
    }
  }

  function draw() {
    const decision = state.decisions[state.shown], end = state.times[state.times.length - 1] || 0;
    const seconds = state.listening ? LIVE_S : Math.min(VIEW_S, Math.max(end, 1));
    const moment = state.listening || !decision ? end : decision.time;
    const view = vskd.viewOf($("signal"), state.times, moment, seconds, stride(), contract.device.gap_us / 1e6);
    const { checked, delay, rate_hz: rate } = contract.device, late = decision ? decision.time - delay / rate : 0;
    const band = decision?.window ? [late - checked / rate, late] : null;
    vskd.drawSignal($("signal"), state.signal, state.times, view, band, contract.range_limit);
    vskd.drawTimeline($("timeline"), state.decisions, decision, view, contract);
    $("signal").setAttribute("aria-label", `Signal of ${contract.axes.join(", ")} from ${vskd.timeText(view.from)} to ${vskd.timeText(view.to)}`);
    $("timeline").setAttribute("aria-label", `${state.decisions.length} decisions; see the list below`);
  }

  function show(position) {
    const last = state.decisions.length - 1;
    state.shown = Math.min(position, last);
    const decision = state.decisions[state.shown], slider = $("position");
    slider.max = Math.max(0, last);
    slider.value = Math.max(0, state.shown);
    slider.disabled = $("play").disabled = last < 0 || Boolean(state.listening);
    vskd.showDecision(decision, state.firmware, contract);
    if (decision) slider.setAttribute("aria-valuetext", `${vskd.timeText(decision.time)}: ${vskd.nameOf(decision, contract)}`);
    if (decision && document.activeElement !== slider) vskd.speak(decision, contract); // the slider speaks for itself
    draw();
  }

  /** A whole recording, a piece at a time, so that the page stays alive. */
  async function replay(name, recording) {
    clear();
    const { run } = state, width = state.firmware.axes;
    for (let at = 0; at < recording.count; at += PIECE) {
      take(recording.samples.subarray(at * width, (at + PIECE) * width), recording.times && recording.times.subarray(at, at + PIECE));
      $("said").textContent = `${name}: ${Math.min(at + PIECE, recording.count)} of ${recording.count} samples.`;
      await new Promise((resolve) => setTimeout(resolve));
      if (state.run !== run) return;
    }
    const clock = recording.times ? "" : " The file has no time stamps: rate and gaps are not checked.";
    $("said").textContent = `${name}: ${recording.count} samples, ${state.decisions.length} decisions.${clock}`;
    vskd.showList(state.decisions, contract);
    show(Math.max(0, state.decisions.findIndex((decision) => decision.label >= 0)));
    state.finished = run;
  }

  async function open(name, text) {
    try {
      await replay(name, vskd.readRecording(name, text, contract));
    } catch (error) {
      if (!(error instanceof vskd.Refusal)) throw error;
      vskd.showProblem(`${name} is refused. ${error.message}`);
    }
  }

  async function openFile() {
    const [file] = $("file").files;
    if (!file) return;
    let text = "";
    try {
      text = new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
    } catch {
      vskd.showProblem(`${file.name} is refused. It is no UTF-8 text. Save it as UTF-8.`);
      return;
    } finally {
      $("file").value = ""; // the same file can be opened again
    }
    await open(file.name, text);
  }

  function stopPlaying() {
    clearTimeout(state.playing);
    state.playing = 0;
    $("play").textContent = "Play";
  }

  function playOn() {
    const { decisions, shown } = state;
    if (shown + 1 >= decisions.length) {
      stopPlaying();
      return;
    }
    const pause = Math.min(LONGEST_PAUSE_MS, 1000 * (decisions[shown + 1].time - decisions[shown].time));
    state.playing = setTimeout(() => {
      show(shown + 1);
      playOn();
    }, pause);
  }

  function play() {
    if (state.playing) {
      stopPlaying();
      return;
    }
    if (state.shown + 1 >= state.decisions.length) show(0);
    $("play").textContent = "Pause";
    playOn();
  }

  function stopListening() {
    if (!state.listening) return;
    window.removeEventListener("devicemotion", state.listening.onEvent);
    clearInterval(state.listening.timer);
    state.listening = null;
    $("listen").setAttribute("aria-pressed", "false");
    $("listen").textContent = "Listen to the motion sensor";
  }

  /** Old samples and decisions are forgotten, so that a page that listens for hours stays small. */
  function forgetOld() {
    const old = state.times.length - LIVE_SAMPLES;
    if (old > LIVE_SAMPLES / 2) [state.times, ...state.signal].forEach((list) => list.splice(0, old));
    if (state.decisions.length > 1.5 * LIVE_DECISIONS) state.decisions.splice(0, state.decisions.length - LIVE_DECISIONS);
  }

  function liveWords(stream) {
    const { hz } = stream.meter;
    if (!stream.newest) return "Waiting for the sensor.";
    const length = Math.hypot(...stream.newest), values = contract.axes.map((axis, k) => `${axis} ${stream.newest[k].toFixed(2)}`);
    return `${hz === null ? "Measuring the rate" : `${hz.toFixed(1)} samples a second`}; ${values.join(", ")} ${contract.unit}, length ${length.toFixed(2)}.`;
  }

  function sayNoReading() {
    stopListening();
    vskd.showProblem("No reading came: this device has no motion sensor, or the browser keeps it.");
  }

  function redrawLive(stream, began) {
    $("said").textContent = liveWords(stream);
    if (!stream.newest && performance.now() - began > NO_EVENT_MS) {
      sayNoReading();
      return;
    }
    const { hz } = stream.meter, needed = contract.device.window_rate_hz;
    vskd.showProblem(stream.isSlow ? `The sensor gives ${hz.toFixed(1)} samples a second; the model needs ${needed.toFixed(1)}. Nothing is decided.` : "");
    forgetOld();
    show(state.decisions.length - 1);
    vskd.showList(state.decisions, contract);
  }

  async function listen() {
    if (state.listening) {
      stopListening();
      show(state.shown);
      return;
    }
    clear();
    const refused = await vskd.askForMotion(window);
    if (refused) {
      vskd.showProblem(refused);
      return;
    }
    const stream = new vskd.MotionStream(contract, Number($("sign").value));
    const onEvent = (event) => {
      const piece = stream.add(event.timeStamp, event.accelerationIncludingGravity);
      if (!piece && !stream.newest) sayNoReading(); // browsers without a sensor send one empty event
      if (piece && piece.times.length && stream.isSlow === false) take(piece.samples, piece.times);
    };
    const timer = setInterval(redrawLive, DRAW_MS, stream, performance.now());
    state.listening = { stream, onEvent, timer };
    window.addEventListener("devicemotion", onEvent);
    $("listen").setAttribute("aria-pressed", "true");
    $("listen").textContent = "Stop listening";
  }

  function connect() {
    $("example").addEventListener("click", () => open("example.csv", vskd.example));
    $("file").addEventListener("change", openFile);
    $("listen").addEventListener("click", listen);
    $("sign").addEventListener("change", () => state.listening && (stopListening(), listen()));
    $("play").addEventListener("click", play);
    $("position").addEventListener("input", () => {
      stopPlaying();
      show(Number($("position").value));
    });
    $("list").addEventListener("toggle", () => vskd.showList(state.decisions, contract));
    new ResizeObserver(draw).observe($("signal").parentElement);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      vskd.colourLegend();
      draw();
    });
  }

  async function begin() {
    vskd.showContract(contract);
    vskd.colourLegend();
    try {
      state.firmware = await vskd.Firmware.open(vskd.module, vskd.weights, contract);
    } catch (error) {
      vskd.showProblem(`The model does not start (${error.message}). It needs a browser with WebAssembly of 2023 or later.`);
      return;
    }
    clear();
    connect();
    $("example").disabled = $("file").disabled = false;
    $("listen").disabled = $("sign-choice").hidden = Boolean(contract.motion.refused);
    $("sign").value = String(vskd.signOf(navigator.vendor));
    if (contract.motion.refused) $("said").textContent = `Choose a recording. It stays on this device. ${contract.motion.refused}`;
    draw();
    state.ready = true;
  }

  begin();
})(globalThis.vskd);
