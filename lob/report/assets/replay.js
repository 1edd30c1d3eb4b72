"use strict";
// The replay: a ladder of the displayed book after each event around a fill, and the events beside it. The rows of the table above choose the fill.
report.makers.replay = function (place, data) {
  const LADDER_ROWS = 22, PLAY_MS = 450;
  const {element, button, number} = report, suffix = place.dataset.live.slice("replay".length);
  let scene = data.scenes[0], step = scene.middle, playing = 0;

  const title = element("p", "scene"), slider = element("input"), ladder = element("table", "ladder"), events = element("ul", "events");
  slider.type = "range";
  slider.setAttribute("aria-label", "event of the replay");
  slider.addEventListener("input", () => to(Number(slider.value)));
  const play = button("▶ Play", "Play the events one after the other", () => playing ? stop() : start());
  const tools = element("div", "tools", "", button("◀", "The event before", () => to(step - 1)), button("▶", "The next event", () => to(step + 1)), play,
    button("The fill", "Go to the fill", () => to(scene.middle)), slider, button("Show in the book", "Show this moment in the book through time", showInBook));
  place.append(title, tools, element("div", "stage", "", ladder, events));

  const rows = [...document.querySelectorAll(`#worst-fills${suffix} tbody tr`)];
  rows.forEach((row, k) => {
    const cell = row.cells[0];
    cell.replaceChildren(Object.assign(button(cell.textContent, "Replay this fill", () => choose(k)), {className: "link"}));
    row.addEventListener("click", () => choose(k));
  });

  // The prices that are ever shown around the fill, the nearest to it, highest first.
  function pricesOf(one) {
    const all = new Set([one.price]);
    one.steps.forEach(({bids, asks}) => [...bids, ...asks].forEach(level => all.add(level[0])));
    return [...all].sort((a, b) => Math.abs(a - one.price) - Math.abs(b - one.price)).slice(0, LADDER_ROWS).sort((a, b) => b - a);
  }

  function bar(side, level, most) {
    const cell = element("td", `side ${side}`), inner = element("i");
    inner.style.width = `${level ? 100 * Math.min(level[1] / most, 1) : 0}%`;
    if (level) cell.title = `${number(level[1])} lots in ${number(level[2])} orders`;
    cell.append(inner);
    return cell;
  }

  function drawLadder() {
    const {bids, asks} = scene.steps[step], at = side => new Map(side.map(level => [level[0], level])), bid = at(bids), ask = at(asks);
    const most = Math.max(1, ...scene.steps.flatMap(one => [...one.bids, ...one.asks].map(level => level[1])));
    ladder.replaceChildren(...pricesOf(scene).map(price => {
      const b = bid.get(price), a = ask.get(price);
      return element("tr", price === scene.price ? "here" : "", "", bar("bid", b, most), element("td", "lots", b ? number(b[1]) : ""), element("td", "price", number(price)),
        element("td", "lots asklots", a ? number(a[1]) : ""), bar("ask", a, most));
    }));
  }

  function drawEvents() {
    events.replaceChildren(...scene.steps.map(({when, words}, k) => {
      const line = element("li", k === scene.middle ? "fill" : "", "", element("span", "", when), element("span", "", "", ...words.map(([text, isOwn]) => element("div", isOwn ? "own" : "", text))));
      line.addEventListener("click", () => to(k));
      return line;
    }));
  }

  function to(k) {
    step = Math.min(Math.max(k, 0), scene.steps.length - 1);
    slider.value = step;
    drawLadder();
    [...events.children].forEach((line, i) => line.classList.toggle("now", i === step));
    const line = events.children[step];
    events.scrollTop = line.offsetTop - events.offsetTop - events.clientHeight / 2;
    place.dataset.step = step;
  }

  function choose(k) {
    stop();
    scene = data.scenes[k];
    title.textContent = scene.title;
    slider.max = scene.steps.length - 1;
    rows.forEach((row, i) => row.classList.toggle("chosen", i === k));
    place.dataset.scene = k;
    drawEvents();
    to(scene.middle);
  }

  function start() {
    if (step === scene.steps.length - 1) to(0);
    playing = setInterval(() => step < scene.steps.length - 1 ? to(step + 1) : stop(), PLAY_MS);
    play.textContent = "❚❚ Stop";
  }

  function stop() {
    clearInterval(playing);
    playing = 0;
    play.textContent = "▶ Play";
  }

  function showInBook() {
    const book = report.live[`book${suffix}`] || null, target = document.getElementById(`book${suffix}`);
    document.querySelectorAll(`#book${suffix}, [data-live="book${suffix}"]`).length && target.scrollIntoView();
    if (book) book.around(scene.time_s);
    else setTimeout(() => report.live[`book${suffix}`] && report.live[`book${suffix}`].around(scene.time_s), 300);
  }

  choose(0);
  return {draw() {}, choose, to};
};

report.start();
