// Which columns of a file are the contract's axes, and which its clock: by name, as vskd.preprocessing.sensor.column_names.
"use strict";
globalThis.vskd = globalThis.vskd || {};

(function (vskd) {
  const TOKEN = /[A-Z]+(?![a-zµ])|[A-Z]?[a-zµ]+|\d+/g;
  const WITH_GRAVITY = /(incl[\p{L}\p{N}_]*|with)[ _]?(gravity|g)(?![a-z])/giu;
  const POSITION = "position or velocity";
  const words = () => vskd.contract.words;
  const quantityOf = (word) => (Object.hasOwn(words().quantities, word) ? words().quantities[word] : undefined);
  const secondsOf = (word) => (Object.hasOwn(words().seconds, word) ? words().seconds[word] : undefined);
  const quoted = (names) => names.slice(0, 12).map((name) => `'${name}'`).join(", ");

  function wordsOf(name) {
    const clean = name.replaceAll("μ", "µ").replace(WITH_GRAVITY, " ").replace(/[^\p{L}\p{N}]+/gu, " ");
    return (clean.match(TOKEN) || []).map((word) => word.toLowerCase());
  }

  function strongest(quantities) {
    return [...quantities].filter((quantity) => quantity !== "accelerometer").sort()[0] || "accelerometer";
  }

  function quantityOfStream(stream) {
    const named = new Set(wordsOf(stream).map(quantityOf).filter(Boolean));
    return named.size ? strongest(named) : stream.toLowerCase();
  }

  /** A word without the axis at its end or beginning, where what remains is a known word: `ax`, `accx`, `xacc`. */
  function cutAxis(word, axes) {
    if (axes.includes(word)) return ["", word];
    for (const axis of axes) {
      const stems = [
        word.endsWith(axis) ? word.slice(0, word.length - axis.length) : word,
        word.startsWith(axis) ? word.slice(axis.length) : word,
      ];
      const stem = stems.find((one) => one !== word && (quantityOf(one) || words().fillers.includes(one)));
      if (stem !== undefined) return [stem, axis];
    }
    return [word, ""];
  }

  /** What a name means to one who looks for `axes`. */
  function meaning(name, axes) {
    const lower = axes.map((axis) => axis.toLowerCase()), itself = name.trim().toLowerCase();
    if (lower.includes(itself)) return { axis: itself, quantity: "", unknown: [] };
    const cut = wordsOf(name).map((word) => cutAxis(word, lower));
    const found = cut.map(([, axis]) => axis).filter(Boolean), rest = cut.map(([stem]) => stem).filter(Boolean);
    const quantities = new Set(rest.map(quantityOf).filter(Boolean));
    const beside = new Set([...quantities].flatMap((quantity) => words().beside[quantity] || []));
    const unknown = rest.filter((w) => !quantityOf(w) && !words().fillers.includes(w) && !beside.has(w));
    if (beside.size) quantities.delete(POSITION);
    return { axis: found.length === 1 ? found[0] : "", quantity: quantities.size ? strongest(quantities) : "", unknown };
  }

  function whyNot(names, meanings, axes, wanted) {
    const called = `its columns are called ${quoted(names)}`;
    const others = [...new Set(meanings.map((m) => m.quantity).filter((q) => q && q !== wanted))].sort();
    const missing = axes.filter(
      (axis) => !meanings.some((m) => m.axis === axis.toLowerCase() && ["", wanted].includes(m.quantity)),
    );
    if (others.length && missing.length === axes.length) return `${called}, which is ${others.join(" and ")}, not ${wanted}`;
    return `${called}; ${missing.length ? missing.join(", ") : "the axes"} cannot be told from them`;
  }

  /** The columns of the axes, in their order, or `problem`. */
  function columnsByName(names, axes, stream) {
    const wanted = quantityOfStream(stream), own = new Set(wordsOf(stream));
    const meanings = names.map((name) => meaning(name, axes));
    const usable = meanings.map((m) =>
      ["", wanted].includes(m.quantity) && m.unknown.every((word) => own.has(word)) ? m : { axis: "", quantity: "" },
    );
    const found = axes.map((axis) => usable.flatMap((m, k) => (m.axis === axis.toLowerCase() ? [k] : [])));
    const twice = found.filter((columns) => columns.length > 1).flat();
    if (twice.length) return { problem: `several columns may be one axis: ${quoted(twice.map((k) => names[k]))}` };
    if (found.some((columns) => !columns.length)) return { problem: whyNot(names, meanings, axes, wanted) };
    const columns = found.map(([k]) => k);
    if (new Set(columns.map((k) => usable[k].quantity)).size > 1) {
      return { problem: `the columns ${columns.map((k) => names[k]).join(", ")} are not named alike` };
    }
    return { columns };
  }

  /** Columns of time, by their names; `seconds` of their unit, null where the header does not say it. Those that are
   * named after the stream's own sensor are its clocks, and others are not. */
  function timeColumns(names, units, stream) {
    const isOwn = (w) => quantityOf(w) === quantityOfStream(stream) && !words().single.includes(w);
    const columns = names.flatMap((name, index) => {
      const found = wordsOf(name), ofUnit = found.map(secondsOf).filter((s) => s !== undefined);
      const { time, of_time: ofTime, names_no_clock: noClock } = words();
      const named = found.some((w) => time.includes(w)) || found.some((w) => secondsOf(w) && !noClock.includes(w));
      const all = found.every((w) => time.includes(w) || secondsOf(w) || ofTime.includes(w) || isOwn(w));
      if (!named || !all) return [];
      const said = secondsOf((units[index] || "").trim().toLowerCase().replaceAll("μ", "µ"));
      const seconds = said !== undefined ? said : ofUnit.length === 1 ? ofUnit[0] : null;
      return [{ index, name, seconds, own: found.some(isOwn) }];
    });
    const own = columns.filter((one) => one.own);
    return (own.length ? own : columns).map(({ index, name, seconds }) => ({ index, name, seconds }));
  }

  /** The quantity that a file's name or a remark names in place of the stream's; empty where it names none. */
  function otherSensor(text, stream) {
    const wanted = quantityOfStream(stream), found = wordsOf(text);
    const named = new Set(found.filter((w) => quantityOf(w) && !words().single.includes(w)).map(quantityOf));
    named.delete(POSITION);
    const linear = "linear acceleration";
    if (!named.has("accelerometer")) named.delete(linear); // `user3` or `body` in a file's name is no sensor
    if (named.has(linear)) named.delete("accelerometer");
    return !named.size || named.has(wanted) ? "" : [...named].sort().join(" and ");
  }

  Object.assign(vskd, { wordsOf, meaning, columnsByName, timeColumns, otherSensor });
})(globalThis.vskd);
