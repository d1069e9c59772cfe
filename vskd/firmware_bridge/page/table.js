// Delimited text to names, units and rows, as vskd.preprocessing.sensor.delimited reads it.
"use strict";
globalThis.vskd = globalThis.vskd || {};

(function (vskd) {
  const SEPARATORS = ["\t", ";", "|", ",", " "];
  const NUMBER = /^\s*[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d+)?\s*$|^\s*[+-]?(?:nan|inf|infinity)\s*$/i;
  const NAME_WITH_UNIT = /^(.*?)\s*[[(](.+)[\])]\s*$/;
  const NAME_THEN_UNIT = /^(.*[xyz])[_ ](g|mg|ms2|mps2|m\/s2|m\/s\^2|dps|rads|rad\/s|deg\/s)$/i;
  const REMARK = /^(?:#|%|\/\/)\s?(.*)$/;
  const DECLARED = /^\s*([\w ()/]+?)\s*[:=]\s*(.+?)\s*$/;
  const KEYS = {
    rate_hz: /^(?:(sampl\w+[ _]?)?(rate|frequency|freq)([ _]?\(?hz\)?)?|fs|odr)$/i,
    unit: /^((accel\w*|gyro\w*|sensor)[ _])?units?$/i,
    sensor: /^(sensor|stream|signal|modality)([ _](type|name))?$/i,
    columns: /^(?:columns|axes|fields|header)$/i,
  };
  const SAMPLE_LINES = 400, HEADER_LINES = 3, WRISTBAND_ROWS = 2, A_DATE = 1e8, HIGHEST_RATE = 1000;

  /** A recording that is not read, and what to do. */
  class Refusal extends Error {}

  const isDecimal = (cell) => NUMBER.test(cell);

  function numberOf(cell) {
    const text = cell.trim().replace(",", ".").toLowerCase();
    if (/nan/.test(text)) return NaN;
    return /inf/.test(text) ? (text.startsWith("-") ? -Infinity : Infinity) : Number(text);
  }

  function quotedCells(line, separator) {
    const cells = [];
    let at = 0;
    for (;;) {
      while (line[at] === " ") at += 1;
      let cell = "";
      if (line[at] === '"') {
        for (at += 1; at < line.length && !(line[at] === '"' && line[at + 1] !== '"'); at += 1) {
          if (line[at] === '"') at += 1;
          cell += line[at];
        }
        at += 1;
      }
      while (at < line.length && line[at] !== separator) cell += line[at++];
      cells.push(cell);
      if (at >= line.length) return cells;
      at += 1;
    }
  }

  function cellsOf(line, separator) {
    if (separator === " ") return line.replace(/^ +| +$/g, "").split(/ +/);
    if (line.includes('"')) return quotedCells(line, separator);
    return line.split(separator).map((cell) => cell.replace(/^ +/, ""));
  }

  function usualWidth(rows) {
    const counts = new Map();
    for (const row of rows) counts.set(row.length, (counts.get(row.length) || 0) + 1);
    return [...counts].reduce((a, b) => (b[1] > a[1] || (b[1] === a[1] && b[0] > a[0]) ? b : a))[0];
  }

  function withoutLineEnds(lines, separator) {
    const idle = (line) => line.trimEnd().endsWith(";") && line.split(";").length === 2;
    return separator !== ";" && lines.every(idle) ? lines.map((line) => line.trimEnd().slice(0, -1)) : lines;
  }

  function separatorOf(lines) {
    let best = null;
    for (const separator of SEPARATORS) {
      const rows = withoutLineEnds(lines.slice(-SAMPLE_LINES), separator).map((line) => cellsOf(line, separator));
      const width = usualWidth(rows), cells = rows.filter((row) => row.length === width).flat();
      const good = cells.filter((cell) => isDecimal(cell) && !(separator === "," && cell.includes(","))).length;
      const score = (good / cells.length) * (width > 1 ? 1 : 0.5);
      if (!best || score > best.score || (score === best.score && width > best.width)) best = { separator, score, width };
    }
    return best.separator;
  }

  function split(text) {
    const remarks = [], lines = [];
    for (const line of text.split(/\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/)) {
      const match = REMARK.exec(line.trim());
      if (match) remarks.push(match[1].trim());
      else if (line.trim() && !/^"?sep=."?$/.test(line.trim())) lines.push(line);
    }
    return { remarks, lines };
  }

  function withoutRepeatedNames(rows) {
    const width = usualWidth(rows), first = rows.filter((row) => row.length === width).slice(0, HEADER_LINES);
    const names = first.filter((row) => row.every((cell) => cell.trim() && !isDecimal(cell)));
    if (!names.length) return rows;
    const texts = new Set(names.map((row) => JSON.stringify(row))), kept = rows.indexOf(names[names.length - 1]) + 1;
    return [...rows.slice(0, kept), ...rows.slice(kept).filter((row) => !texts.has(JSON.stringify(row)))];
  }

  function isHeader(row, numeric, width) {
    if (row.length !== width) return false;
    const cells = numeric.map((k) => row[k].trim());
    return !cells.some(isDecimal) || cells[0] === "";
  }

  function headAndBody(rows) {
    const width = usualWidth(rows), same = rows.filter((row) => row.length === width);
    const pattern = same[same.length > 1 ? Math.floor(same.length / 2) : 0];
    const numeric = pattern.flatMap((cell, k) => (isDecimal(cell) ? [k] : []));
    if (!numeric.length) throw new Refusal("It holds no row of numbers. Give a file of samples, one a line.");
    let start = 0;
    while (start < rows.length && rows[start].length !== width && !rows[start].every(isDecimal)) start += 1;
    let end = start;
    while (end < rows.length - 1 && end - start < HEADER_LINES && isHeader(rows[end], numeric, width)) end += 1;
    if (end === start && start && rows[start - 1].length > 1) {
      throw new Refusal(
        `The line of names has ${rows[start - 1].length} cells, the data rows have ${width}. Give each column one name.`,
      );
    }
    return [rows.slice(start, end), rows.slice(end)];
  }

  /** Without the nameless, empty last column that a separator at the end of each line makes. */
  function withoutEmptyColumn(head, body) {
    const isIdle = body[0].length > 1 && [...head.slice(0, 1), ...body].every((row) => row.length && !row[row.length - 1].trim());
    return isIdle ? [head, body].map((rows) => rows.map((row) => row.slice(0, -1))) : [head, body];
  }

  function namesAndUnits(head) {
    const bare = (cell) => cell.replace(/^[ ()[\]]+|[ ()[\]]+$/g, ""), names = [], units = [];
    (head[0] || []).forEach((cell, k) => {
      const match = NAME_WITH_UNIT.exec(cell.trim()) || NAME_THEN_UNIT.exec(cell.trim());
      const below = head.slice(1).map((row) => bare(row[k])).filter((text) => vskd.parseUnit(text)).pop();
      names.push((match ? match[1] : cell).trim());
      units.push(match ? match[2].trim() : below || "");
    });
    return { names, units };
  }

  function declaredIn(remarks) {
    const found = {};
    for (const remark of remarks) {
      const match = DECLARED.exec(remark);
      const key = match && Object.keys(KEYS).find((one) => KEYS[one].test(match[1].trim()));
      if (!key) continue;
      if (key in found && found[key] !== match[2]) {
        throw new Refusal(`It declares ${key} twice: ${found[key]} and ${match[2]}. Leave one of them out.`);
      }
      found[key] = match[2];
    }
    return found;
  }

  function namesInRemarks(remarks, declared, separator, width) {
    for (const line of [declared.columns || "", remarks[remarks.length - 1]]) {
      for (const mark of new Set([separator, ","])) {
        const cells = line ? cellsOf(line, mark) : [];
        if (cells.length === width && width > 1 && !cells.some(isDecimal)) return [cells.map((cell) => cell.trim())];
      }
    }
    return [];
  }

  /** What the first rows of a wristband of Empatica declare, start and rate; null where they are samples. */
  function wristband(body) {
    const first = body.slice(0, WRISTBAND_ROWS).filter((row) => new Set(row).size === 1 && isDecimal(row[0]));
    if (first.length < WRISTBAND_ROWS || body.length === WRISTBAND_ROWS) return null;
    const [start, rate] = first.map((row) => numberOf(row[0]));
    if (!(start > A_DATE && rate > 0 && rate <= HIGHEST_RATE)) return null;
    return { start: first[0][0].trim(), rate_hz: String(rate), ...(first[0].length === 3 ? { unit: "1/64 g" } : {}) };
  }

  /** What the first lines of a file say about it: separator, names and units of its columns, remarks, rows. */
  function readTable(text) {
    const { remarks, lines } = split(text);
    if (!lines.length) throw new Refusal("The file is empty.");
    const separator = separatorOf(lines);
    const rows = withoutRepeatedNames(withoutLineEnds(lines, separator).map((line) => cellsOf(line, separator)));
    let [head, body] = headAndBody(rows);
    const declared = declaredIn(remarks);
    if (!head.length && remarks.length) head = namesInRemarks(remarks, declared, separator, body[0].length);
    [head, body] = withoutEmptyColumn(head, body);
    const width = usualWidth(body), short = body.findIndex((row) => row.length !== width);
    if (short >= 0) {
      throw new Refusal(`Data row ${short + 1} has ${body[short].length} cells, expected ${width}. Correct this row.`);
    }
    const said = wristband(body), skipped = said ? WRISTBAND_ROWS : 0;
    return { separator, width, rows: body.slice(skipped), skipped, declared: { ...said, ...declared }, ...namesAndUnits(head) };
  }

  Object.assign(vskd, { Refusal, isDecimal, numberOf, cellsOf, readTable });
})(globalThis.vskd);
