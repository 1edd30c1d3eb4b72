"use strict";
// The book through time. The changes of displayed lots are kept as they came; whatever part of the time is looked at is drawn anew from them: snapshots at even
// moments while there are many changes, every single one when there are few.
report.makers.book = function (place, data) {
  const COLUMNS = 600, ROWS_MAX = 220, MARKS_MAX = 1500, FEW = 150, CHECKPOINT = 4096, AROUND_TICKS = 14, WAIT_MS = 60;
  const unit = data.unit_s, prices = data.high - data.low + 1;
  const column = report.column;
  const changes = {time: column(data.changes.time), key: column(data.changes.key), lots: column(data.changes.lots)};
  const trades = Object.fromEntries(Object.entries(data.trades).map(([name, packed]) => [name, column(packed)]));
  const quotes = Object.fromEntries(Object.entries(data.quotes).map(([name, packed]) => [name, column(packed)]));
  const fills = Object.fromEntries(Object.entries(data.fills).map(([name, packed]) => [name, column(packed)]));
  const end = data.end_s, checkpoints = [];
  let view = [0, end], timer = 0;

  const plot = report.element("div", "plot"), status = report.element("p", "status");
  status.setAttribute("role", "status");
  const tools = report.element("div", "tools", "", report.button("Whole run", "Show all of the time", () => show(0, end)),
    report.button("+", "Zoom in", () => scale(0.4)), report.button("−", "Zoom out", () => scale(2.5)),
    report.button("◀", "Earlier", () => move(-0.6)), report.button("▶", "Later", () => move(0.6)));
  if (fills.time.length) tools.append(report.button("Previous fill", "Go to the fill before", () => toFill(-1)), report.button("Next fill", "Go to the next fill", () => toFill(1)));
  place.append(tools, status, plot);

  // The first index whose time is at or after (or, with `after`, beyond) a time in seconds.
  function find(times, seconds, after = false) {
    let low = 0, high = times.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (times[middle] * unit < seconds || (after && times[middle] * unit <= seconds)) low = middle + 1; else high = middle;
    }
    return low;
  }

  // A level is at 2 x (price - low) + (1 for a bid).
  function bookBefore(index) {
    if (!checkpoints.length) checkpoints.push(new Int32Array(2 * prices));
    while (checkpoints.length * CHECKPOINT <= index) {
      const last = checkpoints.length - 1, next = checkpoints[last].slice();
      for (let i = last * CHECKPOINT; i < (last + 1) * CHECKPOINT; i++) next[changes.key[i]] = changes.lots[i];
      checkpoints.push(next);
    }
    const from = Math.floor(index / CHECKPOINT), book = checkpoints[from].slice();
    for (let i = from * CHECKPOINT; i < index; i++) book[changes.key[i]] = changes.lots[i];
    return book;
  }

  // The edges of the columns, and for each how many changes had come by then.
  function columnsOf(from, to) {
    const first = find(changes.time, from, true), last = find(changes.time, to), edges = [from], indices = [first];
    if (last - first <= COLUMNS) {
      for (let i = first; i < last; i++) {
        const seconds = changes.time[i] * unit;
        if (seconds > edges[edges.length - 1]) { edges.push(seconds); indices.push(i + 1); } else indices[indices.length - 1] = i + 1;
      }
    } else {
      for (let k = 1; k < COLUMNS; k++) { edges.push(from + (to - from) * k / COLUMNS); indices.push(find(changes.time, edges[k], true)); }
    }
    edges.push(to);
    return {edges, indices, count: last - first, isWhole: last - first <= COLUMNS};
  }

  function bestOf(book) {
    let bid = -1, ask = -1;
    for (let price = prices - 1; price >= 0 && bid < 0; price--) if (book[2 * price + 1]) bid = price;
    for (let price = 0; price < prices && ask < 0; price++) if (book[2 * price]) ask = price;
    return [bid, ask];
  }

  // Depth in the columns: {z of bids and of asks, prices}, from the lowest to the highest price near the touch within the view.
  function depthOf({edges, indices}) {
    const book = bookBefore(indices[0]), books = [];
    let low = prices, high = -1, at = indices[0];
    for (let k = 0; k + 1 < edges.length; k++) {
      for (; at < indices[k]; at++) book[changes.key[at]] = changes.lots[at];
      books.push(book.slice());
      for (const best of bestOf(book)) if (best >= 0) { low = Math.min(low, best); high = Math.max(high, best); }
    }
    if (high < 0) { low = 0; high = prices - 1; }
    low = Math.max(low - AROUND_TICKS, 0);
    high = Math.min(high + AROUND_TICKS, prices - 1);
    const step = Math.ceil((high - low + 1) / ROWS_MAX), rows = [[], []], ticks = [];
    for (let price = low; price <= high; price += step) {
      ticks.push(data.low + price + (step - 1) / 2);
      for (const side of [0, 1]) {
        rows[side].push(Array.from(books, one => {
          let lots = 0;
          for (let k = price; k < Math.min(price + step, high + 1); k++) lots += one[2 * k + side];
          return lots || null;
        }));
      }
    }
    return {asks: rows[0], bids: rows[1], ticks, low: data.low + low, high: data.low + high};
  }

  function strong(rows) {
    const known = rows.flat().filter(lots => lots !== null).sort((a, b) => a - b);
    return known.length ? known[Math.floor(0.98 * (known.length - 1))] : 1;
  }

  function heat(name, color, rows, depth, edges, most) {
    return {
      type: "heatmap", name, showlegend: true, x: edges, y: depth.ticks, z: rows, zmin: 0, zmax: most, showscale: false, hoverongaps: false,
      colorscale: [[0, `${color}/0.05`], [0.04, `${color}/0.22`], [0.2, `${color}/0.5`], [0.5, `${color}/0.75`], [1, color]],
      hovertemplate: `%{z:,} lots ${name} at %{y:,}<br>from %{x:.6f} s<extra></extra>`,
    };
  }

  // The indices in view, the largest by `weight` if they are too many.
  function chosen(times, from, to, weight) {
    const first = find(times, from), last = find(times, to, true), all = Array.from({length: last - first}, (_, i) => first + i);
    if (all.length <= MARKS_MAX) return [all, all.length];
    return [all.sort((a, b) => weight[b] - weight[a]).slice(0, MARKS_MAX).sort((a, b) => a - b), all.length];
  }

  function tradeMarks(indices) {
    const color = {1: "$bid", [-1]: "$ask"};
    return {
      type: "scatter", mode: "markers", name: "trades", x: indices.map(i => trades.time[i] * unit), y: indices.map(i => trades.price[i]),
      customdata: indices.map(i => [trades.lots[i], trades.side[i] > 0 ? "bought" : "sold"]),
      marker: {symbol: indices.map(i => trades.side[i] > 0 ? "triangle-up" : "triangle-down"), size: indices.map(i => indices.length > FEW ? 4 : Math.min(4 + 2 * Math.sqrt(trades.lots[i]), 18)),
               color: indices.map(i => color[trades.side[i]]), line: {color: "$page", width: indices.length > FEW ? 0 : 0.8}, opacity: indices.length > FEW ? 0.45 : 0.95},
      hovertemplate: "%{customdata[0]:,} lots %{customdata[1]} at %{y:,}<br>%{x:.6f} s<extra>trade</extra>",
    };
  }

  // The agent's best quotes as steps; where there are too many, the last one of each column.
  function quoteLine(name, prices, from, to) {
    let first = Math.max(find(quotes.time, from) - 1, 0), last = find(quotes.time, to, true), x = [], y = [], at = -1;
    for (let i = first; i < last; i++) {
      const seconds = Math.max(quotes.time[i] * unit, from), cell = last - first > 2 * COLUMNS ? Math.floor((seconds - from) / (to - from) * COLUMNS) : i;
      const price = prices[i] || null;
      if (cell === at) { y[y.length - 1] = price; } else { x.push(seconds); y.push(price); at = cell; }
    }
    if (x.length) { x.push(to); y.push(y[y.length - 1]); }
    return {type: "scatter", mode: "lines", name: `${data.agent}: quotes`, showlegend: name === "bid", legendgroup: "quotes", x, y, line: {shape: "hv", color: "$ink", width: 1.3},
            connectgaps: false, hovertemplate: `its best ${name} %{y:,}<extra></extra>`};
  }

  function fillMarks(indices) {
    const isFew = indices.length <= FEW;
    const tone = i => Number.isNaN(fills.realised[i]) ? "$faint" : fills.realised[i] < 0 ? "$loss" : "$gain";
    return {
      type: "scatter", mode: "markers", name: `${data.agent}: fills`, x: indices.map(i => fills.time[i] * unit), y: indices.map(i => fills.price[i]),
      customdata: indices.map(i => [fills.lots[i], fills.side[i] > 0 ? "bought" : "sold", Number.isNaN(fills.realised[i]) ? "not known" : fills.realised[i].toFixed(1)]),
      marker: {symbol: isFew ? "circle-open" : "circle", size: isFew ? 12 : 4, opacity: isFew ? 1 : 0.6, color: indices.map(tone), line: {width: isFew ? 2.2 : 0, color: indices.map(tone)}},
      hovertemplate: "%{customdata[1]} %{customdata[0]:,} at %{y:,}<br>after 1 s: %{customdata[2]} ticks a lot<extra>its fill</extra>",
    };
  }

  function draw() {
    const [from, to] = view, columns = columnsOf(from, to), depth = depthOf(columns), most = Math.max(strong(depth.bids), strong(depth.asks), 1);
    const [traded, tradedAll] = chosen(trades.time, from, to, trades.lots), [filled, filledAll] = chosen(fills.time, from, to, fills.lots);
    const traces = [heat("bid", "$bid", depth.bids, depth, columns.edges, most), heat("ask", "$ask", depth.asks, depth, columns.edges, most), tradeMarks(traded)];
    if (data.agent !== null) traces.push(quoteLine("bid", quotes.bid, from, to), quoteLine("ask", quotes.ask, from, to), fillMarks(filled));
    const axis = {gridcolor: "$grid", linecolor: "$line", tickcolor: "$line", zeroline: false, automargin: true};
    const layout = {
      xaxis: {...axis, title: {text: "seconds since the start", standoff: 8, font: {size: 12, color: "$muted"}}, range: [from, to], ticks: "outside", showgrid: false, exponentformat: "none", separatethousands: true},
      yaxis: {...axis, title: {text: "price, ticks", standoff: 8, font: {size: 12, color: "$muted"}}, range: [depth.low - 0.5, depth.high + 0.5], fixedrange: true, tickformat: ",d"},
      font: {family: "Inter, Helvetica, Arial, sans-serif", color: "$ink"}, paper_bgcolor: "$page/0", plot_bgcolor: "$page/0", hovermode: "closest",
      legend: {orientation: "h", x: 0, y: 1.02, yanchor: "bottom"}, hoverlabel: {bgcolor: "$panel", bordercolor: "$line", font: {color: "$ink", size: 12}},
    };
    const fresh = !plot._fullLayout;
    report.plot(plot, {data: traces, layout}, fresh);
    if (fresh) {
      plot.on("plotly_relayout", zoomed);
      plot.on("plotly_doubleclick", () => later(0, end));
    }
    tell(columns, traded.length, tradedAll, filled.length, filledAll);
  }

  function tell(columns, traded, tradedAll, filled, filledAll) {
    const number = report.number, digits = Math.min(Math.max(Math.ceil(2 - Math.log10(Math.max(view[1] - view[0], 1e-7))), 0), 6);
    const words = [`${number(view[0], digits)} to ${number(view[1], digits)} s: ` + (columns.isWhole ? `each of ${number(columns.count)} changes is drawn` :
      `${number(COLUMNS)} snapshots of ${number(columns.count)} changes; zoom in for single ones`)];
    if (traded < tradedAll) words.push(`the largest ${number(traded)} of ${number(tradedAll)} trades`);
    if (filled < filledAll) words.push(`the largest ${number(filled)} of ${number(filledAll)} fills`);
    status.textContent = words.join("; ") + ".";
    place.dataset.view = `${view[0]} ${view[1]}`;
    place.dataset.changes = columns.isWhole ? columns.count : "";
  }

  function zoomed(change) {
    if ("xaxis.range[0]" in change) later(change["xaxis.range[0]"], change["xaxis.range[1]"]);
  }

  function later(from, to) {
    clearTimeout(timer);
    timer = setTimeout(() => show(from, to), WAIT_MS);
  }

  function show(from, to) {
    const width = Math.min(Math.max(to - from, 4 * unit), end);
    const begin = Math.min(Math.max(from, 0), Math.max(end - width, 0));
    view = [begin, begin + width];
    draw();
  }

  const scale = factor => { const middle = (view[0] + view[1]) / 2, half = (view[1] - view[0]) * factor / 2; show(middle - half, middle + half); };
  const move = share => { const width = view[1] - view[0]; show(view[0] + share * width, view[1] + share * width); };
  const around = seconds => { const width = Math.min(view[1] - view[0], 4); show(seconds - width / 2, seconds + width / 2); };

  function toFill(direction) {
    const middle = (view[0] + view[1]) / 2;
    const at = direction > 0 ? find(fills.time, middle + unit, true) : find(fills.time, middle - unit) - 1;
    if (at >= 0 && at < fills.time.length) around(fills.time[at] * unit);
  }

  draw();
  return {draw, show, around};
};
