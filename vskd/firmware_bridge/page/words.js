// Decisions, times and signals in words, for people and screen readers.
"use strict";
globalThis.vskd = globalThis.vskd || {};

(function (vskd) {
  const percent = (part) => `${(100 * part).toFixed(0)} %`;

  /** Seconds as `3.20 s`, from a minute on as `2:05.20`. */
  function timeText(seconds) {
    if (seconds < 60) return `${seconds.toFixed(2)} s`;
    const hours = Math.floor(seconds / 3600), minutes = Math.floor(seconds / 60) % 60;
    const rest = (seconds % 60).toFixed(2).padStart(5, "0");
    return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
  }

  /** What a decision says: a label, `unknown`, or the name of what is wrong. */
  function nameOf(decision, contract) {
    if (decision.status !== 0) return contract.statuses[decision.status].name;
    return decision.label >= 0 ? contract.labels[decision.label] : "unknown";
  }

  /** Why there is no label, or how sure the newest window is. */
  function reasonOf(decision, contract) {
    if (decision.status !== 0) return contract.statuses[decision.status].meaning;
    const best = decision.probabilities.indexOf(Math.max(...decision.probabilities));
    const window = `${contract.labels[best]} ${percent(decision.probabilities[best])}`;
    return decision.label < 0 ? `no class is clear; the nearest is ${window}` : `this window: ${window}`;
  }

  const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");

  Object.assign(vskd, { percent, timeText, nameOf, reasonOf, sentence });
})(globalThis.vskd);
