// A recording to samples and time stamps, or a refusal: the rules of `vskd predict --stream`, stricter where they differ.
// Refused here though Python reads them: columns without names, other encodings than UTF-8, dates as time stamps.
"use strict";
globalThis.vskd = globalThis.vskd || {};

(function (vskd) {
  const HEAD_LINES = 2000, MICROSECONDS = 1e6;
  const EPOCHS = [[1e8, 4e9, 1], [1e11, 4e12, 1e-3], [1e14, 4e15, 1e-6], [1e17, 4e18, 1e-9]];
  const UNITS = [1, 1e-3, 1e-6, 1e-9], RATES_HZ = [5, 2000];
  const RATE = /^([+-]?\d+(?:[.,]\d+)?(?:e[+-]?\d+)?)\s*(k?hz|samples?\/s(?:ec)?|sps|\/s)?(?:\s*\(.*\))?$/i, RATE_TOLERANCE = 0.03;
  const { Refusal } = vskd;

  function axesOf(name, table, contract) {
    const said = table.declared.sensor || "";
    const texts = said ? [["it says that it is", said]] : [];
    const hasQuantity = table.names.some((one) => vskd.meaning(one, contract.axes).quantity);
    if (!hasQuantity) texts.push(["its name says", name.replace(/\.[^.]*$/, "")]);
    for (const [source, text] of texts) {
      const other = vskd.otherSensor(text, contract.stream);
      if (other) throw new Refusal(`The model asks for the ${contract.stream}; ${source} ${other}. Open a file of the ${contract.stream}.`);
    }
    const asked = `${contract.axes.length} channels (${contract.axes.join(", ")}) of the ${contract.stream}`;
    if (!table.names.length) {
      throw new Refusal(`The model asks for ${asked}; the file's columns have no names. Write a header, e.g. time_s,${contract.axes.join(",")}.`);
    }
    const choice = vskd.columnsByName(table.names, contract.axes, contract.stream);
    if (choice.problem) throw new Refusal(`The model asks for ${asked}; ${choice.problem}. Name the columns after the axes.`);
    return choice.columns;
  }

  function checkUnit(table, columns, contract) {
    const units = new Set(columns.map((c) => table.units[c]).filter(Boolean));
    if (!units.size && table.declared.unit) units.add(table.declared.unit);
    if (contract.device.factor !== 1) return; // the samples are the device's own counts
    for (const unit of units) {
      if (vskd.conversion(unit, contract.unit) !== 1) {
        throw new Refusal(`Wrong unit: the model asks for ${contract.unit}, the file says ${unit}. Convert the samples.`);
      }
    }
  }

  /** A remark may say another rate; a clock is checked window by window. */
  function checkRate(table, contract) {
    if (table.declared.rate_hz === undefined) return;
    const found = RATE.exec(table.declared.rate_hz), asked = contract.device.rate_hz;
    const rate = found ? Number(found[1].replace(",", ".")) * (/^khz$/i.test(found[2] || "") ? 1000 : 1) : 0;
    if (!(rate > 0 && rate < Infinity)) throw new Refusal(`The rate is '${table.declared.rate_hz}', which is no positive number. Write e.g. '# rate_hz: 50'.`);
    if (Math.abs(rate - asked) > RATE_TOLERANCE * asked) {
      throw new Refusal(`Wrong rate: the stream has ${asked} Hz, the file says ${rate} Hz. Correct the remark, or make the page for that rate.`);
    }
  }

  function median(values) {
    const sorted = [...values].sort((a, b) => a - b), middle = sorted.length >> 1;
    return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }

  /** Numbers since the first; whole ones exactly, however large. */
  function countsOf(cells) {
    if (cells.every((cell) => /^[+-]*\d+$/.test(cell))) {
      const first = BigInt(cells[0]);
      return cells.map((cell) => Number(BigInt(cell) - first));
    }
    const values = cells.map(vskd.numberOf);
    return values.map((value) => value - values[0]);
  }

  function unitOf(counts, first) {
    const epoch = EPOCHS.find(([least, most]) => least <= first && first <= most);
    if (epoch) return epoch[2];
    const steps = counts.slice(1).map((count, n) => count - counts[n]);
    if (counts.length > 2 && counts[1] === 1 && steps.every((step) => step === 1)) return null; // a number of the row
    const moving = steps.map(Math.abs).filter((step) => step > 0);
    const typical = moving.length ? median(moving) : Math.abs(counts[counts.length - 1]) / (counts.length - 1);
    const fits = (factor) => RATES_HZ[0] <= 1 / (typical * factor) && 1 / (typical * factor) <= RATES_HZ[1];
    return typical > 0 ? (UNITS.find(fits) ?? null) : null;
  }

  /** How many seconds one count of a clock is. */
  function secondsOf(table, clock) {
    const cells = table.rows.map((row) => row[clock.index].trim());
    const counts = cells.length > 1 && cells.every(vskd.isDecimal) ? countsOf(cells) : [];
    const factor = counts.every(Number.isFinite) && counts.length ? (clock.seconds ?? unitOf(counts, vskd.numberOf(cells[0]))) : null;
    const values = cells.map(vskd.numberOf), elapsed = values[values.length - 1] - values[0];
    if (factor === null || elapsed === 0) {
      throw new Refusal(`The time stamps in column '${clock.name}' are no counts of seconds, milliseconds or the like. Write seconds in a column time_s.`);
    }
    const read = counts.map((count) => count * factor);
    return (read[read.length - 1] - read[0]) / elapsed;
  }

  function rint(value) {
    const low = Math.floor(value), rest = value - low;
    return rest > 0.5 || (rest === 0.5 && low % 2 !== 0) ? low + 1 : low;
  }

  function layoutOf(name, lines, contract) {
    const table = vskd.readTable(lines.slice(0, HEAD_LINES).join("\n"));
    const columns = axesOf(name, table, contract);
    checkUnit(table, columns, contract);
    checkRate(table, contract);
    const clock = vskd.timeColumns(table.names, table.units, contract.stream).find((one) => !columns.includes(one.index));
    const seconds = clock ? secondsOf(table, clock) : 0;
    return { separator: table.separator, width: table.width, columns, clock: clock ? clock.index : null, seconds, skipped: table.skipped };
  }

  function* dataRows(lines, layout) {
    const wanted = layout.clock === null ? layout.columns : [...layout.columns, layout.clock];
    let number = 0, skipped = layout.skipped;
    for (const line of lines) {
      if (!line.trim() || line.startsWith("#")) continue;
      const cells = vskd.cellsOf(line, layout.separator);
      const fits = (columns) => cells.length === layout.width && columns.every((c) => vskd.isDecimal(cells[c]));
      if (!number && !fits(layout.columns)) continue; // before the first row
      if (!number && skipped > 0) {
        skipped -= 1; // a wristband's start and rate
        continue;
      }
      number += 1;
      if (!fits(wanted)) throw new Refusal(`Data row ${number} is not ${layout.width} numbers. Correct this row; a gap may be nan.`);
      yield { number, values: wanted.map((c) => vskd.numberOf(cells[c])) };
    }
    if (!number) throw new Refusal("It holds no row of samples as its first lines describe them. Correct the file.");
  }

  /**
   * Read a recording.
   * @param {string} name of the file, which may say another sensor.
   * @param {string} text its content.
   * @param {object} contract of the bundle.
   * @returns {{samples: Float32Array, times: BigUint64Array|null, count: number}} rows of the device's axes; microseconds.
   * @throws {Refusal} in words, with what to do.
   */
  function readRecording(name, text, contract) {
    const lines = text.replace(/^\ufeff/, "").split(/\r\n|\r|\n/), layout = layoutOf(name, lines, contract);
    const axes = layout.columns.length, samples = [], times = [];
    for (const { number, values } of dataRows(lines, layout)) {
      for (let axis = 0; axis < axes; axis += 1) samples.push(values[axis]);
      if (layout.clock === null) continue;
      const time = values[axes];
      if (!Number.isFinite(time) || time < 0) {
        throw new Refusal(`The time in data row ${number} is negative or no number. Correct it.`);
      }
      times.push(BigInt(rint(time * layout.seconds * MICROSECONDS)));
    }
    return {
      samples: Float32Array.from(samples),
      times: layout.clock === null ? null : BigUint64Array.from(times),
      count: samples.length / axes,
    };
  }

  Object.assign(vskd, { readRecording });
})(globalThis.vskd);
