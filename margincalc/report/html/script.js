"use strict";
(() => {
  const source = document.getElementById("grid");
  if (!source) return;
  const grid = JSON.parse(source.textContent);
  const axes = {days: grid.days, volatility: grid.volatilities, spot: grid.spots};
  const byId = (id) => document.getElementById(id);
  const at = (key) => (byId(key) ? Number(byId(key).value) : 0);

  // A value between nodes: the node below, and the share of the way to the next.
  const place = (nodes, value) => {
    let low = 0;
    while (low < nodes.length - 2 && nodes[low + 1] <= value) low += 1;
    if (nodes.length === 1) return [[0, 1]];
    const share = (value - nodes[low]) / (nodes[low + 1] - nodes[low]);
    return [[low, 1 - share], [low + 1, share]].filter(([, weight]) => weight !== 0);
  };

  // Linear along each axis; null where a corner that counts has no figure.
  const figure = (series, days, volatility, spot) => {
    let sum = 0;
    for (const [d, a] of place(axes.days, days))
      for (const [v, b] of place(axes.volatility, volatility))
        for (const [s, c] of place(axes.spot, spot)) {
          const value = series[(d * axes.volatility.length + v) * axes.spot.length + s];
          if (value === null) return null;
          sum += a * b * c * value;
        }
    return sum;
  };

  const figures = (days, volatility, spot) => {
    const of = (series) => figure(series, days, volatility, spot);
    const equity = of(grid.equity), initial = of(grid.initial_margin);
    const maintenance = of(grid.maintenance_margin);
    const alone = equity > 0 ? maintenance / equity : null;
    const excess = equity - maintenance, available = equity - initial;
    return {
      equity, initial_margin: initial, maintenance_margin: maintenance, excess,
      available_funds: available,
      margin_ratio: grid.margin_ratio ? of(grid.margin_ratio) : alone,
      least_excess: grid.least_excess ? of(grid.least_excess) : excess,
      least_available: grid.least_available ? of(grid.least_available) : available,
    };
  };

  // As the program writes numbers.
  const fixed = (value, digits) => {
    const text = Math.abs(value).toFixed(digits);
    const [whole, part] = text.split(".");
    const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",") + (part ? "." + part : "");
    return value < 0 && /[1-9]/.test(text) ? "-" + grouped : grouped;
  };
  const amount = (value) => fixed(value, grid.decimals);
  const percent = (value) => {
    if (value === null) return "none";
    const near = value !== 1 && Math.abs(value - 1) < 0.001;
    return fixed(value * 100, near ? 4 : 1) + " %";
  };
  const price = (now, factor) => {
    const size = Math.max(Math.floor(Math.log10(now)), -8);
    return fixed(now * factor, size >= 4 ? 0 : Math.max(2, 4 - size));
  };
  const signed = (value) => (value > 0 ? "+" : "") + value + " %";
  const compact = (value) => {
    for (const [limit, unit] of [[1e9, "B"], [1e6, "M"], [1e3, "k"]])
      if (Math.abs(value) >= 0.9995 * limit)
        return (Number((value / limit).toPrecision(3)) + unit).replace("-", "\u2212");
    return String(Number(value.toPrecision(3))).replace("-", "\u2212");
  };

  const status = ({least_excess, least_available, initial_margin}) => {
    if (least_excess < 0) return "liquidatable";
    return least_available < -1e-12 * Math.abs(initial_margin) ? "restricted" : "healthy";
  };

  // What asks the program for the same market.
  const asked = (days, volatility, spot) => {
    const percent = (value) => (value > 0 ? "+" : "") + value + "%";
    return [
      ...(spot ? ["--spot " + percent(spot)] : []),
      ...(volatility ? ["--vol " + percent(volatility)] : []),
      ...(days ? ["--days " + days] : []),
    ].join(" ");
  };

  // The curve along spot at one volatility and day.
  const shape = (kind, attributes, text) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", kind);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    if (text !== undefined) node.textContent = text;
    return node;
  };
  const round = (low, high, most) => {
    const rough = (high - low || 1) / most, unit = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 2.5, 5, 10].map((size) => size * unit).find((size) => size >= rough * 0.999999);
    const values = [];
    for (let n = Math.ceil(low / step - 1e-9); n * step <= high + 1e-9 * step; n += 1) values.push(n * step);
    return values;
  };
  const crossings = (excess) => {
    const found = [];
    for (let n = 1; n < excess.length; n += 1) {
      const [a, b] = [excess[n - 1], excess[n]];
      if (a < 0 !== b < 0)
        found.push(axes.spot[n - 1] + (a / (a - b)) * (axes.spot[n] - axes.spot[n - 1]));
    }
    return found;
  };

  const draw = (days, volatility, spot) => {
    const holder = byId("curve");
    const width = Math.max(holder.clientWidth, 260), height = Math.min(340, Math.max(230, width * 0.5));
    const left = 50, right = width < 500 ? 16 : 36, top = 14, bottom = 34;
    const all = axes.spot.map((x) => figures(days, volatility, x));
    const equity = all.map((f) => f.equity), maintenance = all.map((f) => f.maintenance_margin);
    const sorted = [...equity].sort((a, b) => a - b);
    const most = Math.max(...maintenance, sorted[Math.floor(0.9 * (sorted.length - 1))], 1e-9);
    let low = Math.max(Math.min(...equity, ...maintenance), -1.2 * most);
    let high = Math.min(Math.max(...equity, ...maintenance), 2.5 * most);
    const extra = 0.06 * (high - low || 1);
    low -= extra; high += extra;
    const first = axes.spot[0], last = axes.spot[axes.spot.length - 1];
    const across = (x) => left + ((x - first) / (last - first)) * (width - left - right);
    const up = (y) => height - bottom - ((y - low) / (high - low)) * (height - top - bottom);
    const svg = shape("svg", {viewBox: `0 0 ${width} ${height}`, role: "img",
      "aria-label": "Equity and maintenance margin along spot in the market of the sliders"});
    const clip = shape("clipPath", {id: "inside"});
    clip.append(shape("rect", {x: left, y: top, width: width - left - right, height: height - top - bottom}));
    svg.append(clip);
    const edges = crossings(all.map((f) => f.least_excess));
    const ends = [first, ...edges, last];
    ends.slice(1).forEach((end, n) => {
      const middle = (ends[n] + end) / 2;
      if (figures(days, volatility, middle).least_excess < 0)
        svg.append(shape("rect", {class: "dead", x: across(ends[n]), y: top,
          width: across(end) - across(ends[n]), height: height - top - bottom}));
    });
    for (const y of round(low, high, 5)) {
      svg.append(shape("line", {class: "grid", x1: left, x2: width - right, y1: up(y), y2: up(y)}));
      svg.append(shape("text", {x: left - 5, y: up(y) + 3.5, "text-anchor": "end"}, compact(y)));
    }
    const names = Object.keys(grid.levels);
    for (const x of round(first, last, width < 500 ? 5 : 10)) {
      const level = names.length ? " (" + compact(grid.levels[names[0]] * (1 + x / 100)) + ")" : "";
      svg.append(shape("text", {x: across(x), y: height - bottom + 15, "text-anchor": "middle"},
        signed(x) + (width < 500 ? "" : level)));
    }
    const path = (values) => "M" + values.map((y, n) => `${across(axes.spot[n])} ${up(y)}`).join("L");
    const lines = shape("g", {"clip-path": "url(#inside)"});
    lines.append(shape("path", {class: "maintenance", d: path(maintenance)}));
    lines.append(shape("path", {class: "equity", d: path(equity)}));
    svg.append(lines);
    svg.append(shape("line", {class: "then", x1: across(spot), x2: across(spot), y1: top, y2: height - bottom}));
    const here = figures(days, volatility, spot).equity;
    if (here >= low && here <= high)
      svg.append(shape("circle", {class: "here", cx: across(spot), cy: up(here), r: 4}));
    svg.append(shape("text", {x: left, y: top - 4}, grid.currency + ", along a move of every spot"));
    for (const x of edges)
      svg.append(shape("text", {x: across(x), y: height - bottom - 5, "text-anchor": "middle"},
        signed(Number(x.toFixed(1)))));
    holder.replaceChildren(svg);
  };

  const update = () => {
    const days = at("days"), volatility = at("volatility"), spot = at("spot");
    const now = figures(days, volatility, spot);
    for (const key of ["equity", "initial_margin", "maintenance_margin", "available_funds", "excess"])
      byId(key).textContent = amount(now[key]);
    byId("margin_ratio").textContent = percent(now.margin_ratio);
    const state = status(now), badge = byId("status");
    badge.textContent = state.toUpperCase();
    badge.className = "badge " + state;
    if (byId("spot-shown")) {
      const names = Object.keys(grid.levels);
      const level = names.length ? `${names[0]} ${price(grid.levels[names[0]], 1 + spot / 100)}, ` : "";
      byId("spot-shown").textContent = level + signed(spot);
    }
    if (byId("volatility-shown")) byId("volatility-shown").textContent = signed(volatility);
    if (byId("days-shown")) byId("days-shown").textContent = String(days);
    const node = axes.days.includes(days) && axes.volatility.includes(volatility) && axes.spot.includes(spot);
    const options = asked(days, volatility, spot);
    byId("how").textContent = !node ? "interpolated between margined markets"
      : options ? "margined in full, as by " + options : "now, margined in full";
    draw(days, volatility, spot);
  };

  for (const key of Object.keys(axes)) if (byId(key)) byId(key).addEventListener("input", update);
  byId("reset").addEventListener("click", () => {
    for (const key of Object.keys(axes)) if (byId(key)) byId(key).value = 0;
    update();
  });
  window.addEventListener("resize", update);
  update();
})();
