// Units of acceleration and angular rate, by the spellings of vskd.preprocessing.sensor.units (in contract.js).
"use strict";
globalThis.vskd = globalThis.vskd || {};

(function (vskd) {
  const FACTORED = /^(\d+(?:\.\d+)?(?:e-?\d+)?(?:\/\d+(?:\.\d+)?)?)\s*\*?\s*([a-z°].*)$/;
  const REMARK = /\s*[([][^)\]]*[)\]]\s*$/;

  function plain(text) {
    const same = [["²", "2"], ["⁻", "-"], ["·", "."], ["sec", "s"], ["sond", "second"]];
    let found = text.toLowerCase();
    for (const [from, to] of same) found = found.replaceAll(from, to);
    return found.replace(/[\s()[\]^*]/g, "");
  }

  function known(text) {
    const units = vskd.contract.units;
    const found = Object.hasOwn(units, plain(text)) ? units[plain(text)] : null;
    return found && { name: found[0], quantity: found[1], factor: found[2] };
  }

  function number(text) {
    const [whole, parts] = text.split("/");
    const value = parts === undefined ? Number(whole) : Number(whole) / Number(parts);
    return Number.isFinite(value) ? value : 0;
  }

  /** The unit that a text means, e.g. `m/s²` or `1/64 g`; null where it is not known. */
  function parseUnit(text) {
    const found = known(text) || known(text.replace(REMARK, ""));
    if (found) return found;
    const match = FACTORED.exec(text.trim().toLowerCase());
    const unit = match && known(match[2]);
    if (!unit || number(match[1]) === 0) return null;
    return { ...unit, name: `${match[1]} ${unit.name}`, factor: number(match[1]) * unit.factor };
  }

  function normal(text) {
    const unit = parseUnit(text);
    return unit ? unit.name : text.replace(/\s+/g, "").toLowerCase();
  }

  /** What samples in `unit` are multiplied by to be in `wanted`; null where they cannot be. */
  function conversion(unit, wanted) {
    const given = parseUnit(unit), asked = parseUnit(wanted);
    if (!given || !asked) return normal(unit) === normal(wanted) ? 1 : null;
    return given.quantity === asked.quantity ? given.factor / asked.factor : null;
  }

  Object.assign(vskd, { parseUnit, conversion });
})(globalThis.vskd);
