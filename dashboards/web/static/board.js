"use strict";
// A board in the browser: sets what the server says into the page, and keeps it through outages.
(() => {
  const read = (id) => {
    const found = document.getElementById(id);
    return found ? JSON.parse(found.textContent) : null;
  };
  const data = read("data");
  const words = data.words;
  const live = document.getElementById("live");
  const clock = document.getElementById("clock");
  const root = document.documentElement;
  const trouble = document.getElementById("trouble");
  const charts = new Map(); // panel id → {view, rows, marks}
  const panels = new Map();
  for (const node of document.querySelectorAll(".panel")) panels.set(node.dataset.id, node);
  let marks = [];
  let lostSince = null;
  let failedSince = null;
  let away = false; // the store answers no panel at all

  const make = (tag, name, text) => {
    const node = document.createElement(tag);
    if (name) node.className = name;
    if (text !== undefined) node.textContent = text;
    return node;
  };
  const time = (seconds) =>
    new Intl.DateTimeFormat("en-GB", {
      timeZone: data.zone, hour: "2-digit", minute: "2-digit", second: "2-digit",
    }).format(new Date(seconds * 1000));
  const still = read("still"); // a page that is a picture says of which day it is, and that it is not live
  const day = (seconds) => new Intl.DateTimeFormat("en-CA", { timeZone: data.zone }).format(new Date(seconds * 1000));
  const filled = (text, since) => text.replace("{since}", since);

  // A node that leads to a page of ours, if what it shows leads anywhere.
  const leading = (shown, tag, name, text) => {
    const leads = shown.href && shown.href.startsWith("/") && !shown.href.startsWith("//");
    const node = make(leads ? "a" : tag, name, text);
    if (leads) {
      node.href = shown.href;
      node.title = shown.hint;
    }
    return node;
  };

  // ── panels that are text ──────────────────────────────────────────────
  const value = (tile) => {
    const node = make("span", "value");
    if (tile.sign) {
      const sign = make("span", "sign", tile.sign);
      sign.setAttribute("aria-hidden", "true");
      node.append(sign);
    }
    node.append(make("span", "number", tile.text));
    if (tile.said) node.append(make("span", "unseen", " (" + tile.said + ")"));
    return node;
  };
  const draw = {
    stat(node, content) {
      const tiles = make("div", "tiles");
      for (const tile of content.tiles) {
        const made = leading(tile, "div", "tile " + tone(tile) + (content.solid ? " solid" : "") +
          (tile.name ? " named" : ""));
        made.style.setProperty("--n", String(width(tile)));
        if (tile.name) {
          const name = make("span", "name", tile.name);
          name.title = tile.name;
          made.append(name);
        }
        made.append(value(tile));
        tiles.append(made);
      }
      node.replaceChildren(tiles);
    },
    bargauge(node, content) {
      const list = make("ol", "bars");
      for (const bar of content.bars) {
        const item = make("li");
        const line = leading(bar, "div", "gauge " + tone(bar));
        const name = make("span", "name", bar.name);
        name.title = bar.name;
        const track = make("span", "track");
        const fill = make("div", "fill");
        fill.style.transform = "scaleX(" + bar.part + ")";
        track.append(fill);
        line.append(name, track, value(bar));
        item.append(line);
        list.append(item);
      }
      node.replaceChildren(content.bars.length ? list : make("p", "nothing", words.none));
      if (content.bars.length) focusable(list, node);
    },
    table(node, content) {
      const scroll = node.querySelector(".scroll") || make("div", "scroll");
      const table = make("table");
      const head = table.createTHead().insertRow();
      for (const column of content.columns) {
        const cell = make("th", column.kind, column.title);
        cell.scope = "col";
        head.append(cell);
      }
      const body = table.createTBody();
      for (const row of content.rows) {
        const line = body.insertRow();
        row.forEach((cell, at) => line.append(tableCell(cell, content.columns[at])));
      }
      scroll.replaceChildren(table);
      if (!content.rows.length) scroll.append(make("p", "nothing", content.none));
      focusable(scroll, node);
      if (!scroll.parentNode) node.replaceChildren(scroll);
    },
  };
  // How many digits wide a text is, so that it can fill its tile.
  const width = (tile) => Math.max(3, [...tile.text].reduce((sum, one) => sum + (one > "\u2e7f" ? 1.7 : 1), tile.sign ? 1.3 : 0));
  const tone = (tile) => (tile.tone === "plain" ? "plain-tone" : tile.tone);
  const tableCell = (cell, column) => {
    const plain = typeof cell === "string";
    const node = make("td", `${column.kind} ` + (plain ? "" : (cell.tone ? tone(cell) : "") + (cell.quiet ? " quiet" : "")));
    if (!plain && cell.sign) {
      const sign = make("span", "sign", cell.sign);
      sign.setAttribute("aria-hidden", "true");
      node.append(sign);
    }
    node.append(plain ? cell : leading(cell, "span", "", cell.text));
    if (!plain && cell.said) node.append(make("span", "unseen", " (" + cell.said + ")"));
    return node;
  };
  // What scrolls can be reached by keyboard.
  const focusable = (node, content) => {
    node.tabIndex = 0;
    node.setAttribute("role", node.tagName === "OL" ? "list" : "region");
    node.setAttribute("aria-labelledby", content.parentNode.getAttribute("aria-labelledby"));
  };

  // ── panels that are charts ────────────────────────────────────────────
  const tip = make("div", "tip");
  tip.hidden = true;
  document.body.append(tip);
  const tooltip = (_, event, item, said) => {
    tip.hidden = !said || said === "";
    if (tip.hidden) return;
    tip.textContent = Object.values(said).filter((text) => text !== "").join("\n");
    tip.style.left = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8) + "px";
    tip.style.top = Math.min(event.clientY + 14, innerHeight - tip.offsetHeight - 8) + "px";
  };
  const inks = () => {
    const style = getComputedStyle(document.documentElement);
    return Object.fromEntries(["text", "line", "soft"].map((name) => [name, style.getPropertyValue("--" + name).trim()]));
  };
  // Paper is light whatever the theme is, and waits for nothing: inks are changed in the charts that there are.
  const ink = (found) => {
    for (const { result } of charts.values()) {
      if (!result) continue;
      for (const [name, value] of Object.entries(found)) result.view.signal(name, value);
      result.view.runAsync();
    }
  };
  const paper = () => {
    const was = root.dataset.theme;
    root.dataset.theme = "light";
    ink(inks());
    if (was === undefined) delete root.dataset.theme; else root.dataset.theme = was;
  };
  const look = (node) => {
    const { fontSize, fontFamily } = getComputedStyle(node);
    const size = parseFloat(fontSize);
    const labels = { labelColor: { expr: "text" }, labelFontSize: size };
    return {
      params: Object.entries({ ...inks(), em: size }).map(([name, value]) => ({ name, value })),
      background: null,
      view: { stroke: null },
      axis: { ...labels, gridColor: { expr: "line" }, domainColor: { expr: "soft" }, tickColor: { expr: "soft" }, gridOpacity: 0.6 },
      legend: { ...labels, symbolStrokeWidth: size / 4, symbolSize: size * 12 },
      font: fontFamily,
    };
  };
  const specOf = (id) => {
    const spec = structuredClone(data.specs[id]);
    const chart = charts.get(id);
    spec.datasets = { rows: chart.rows, marks };
    return spec;
  };
  const describe = ({ node, label }) => {
    node.setAttribute("role", "img");
    node.setAttribute("aria-label", label);
    node.removeAttribute("aria-roledescription");
  };
  const embed = async (id) => {
    const chart = charts.get(id);
    if (!window.vegaEmbed || chart.busy) return;
    chart.busy = true;
    try {
      if (chart.result) chart.result.finalize();
      chart.result = await window.vegaEmbed(chart.node, specOf(id), {
        mode: "vega-lite", ast: true, actions: false, renderer: "canvas", defaultStyle: false, logLevel: 1,
        tooltip, config: look(chart.node),
      });
      chart.result.view.cleanThreshold = 0; // it would keep ten thousand of the rows that it lets go
      describe(chart); // it says something of its own
    } finally {
      chart.busy = false;
    }
  };
  const drawChart = (id, node, content) => {
    let chart = charts.get(id);
    if (!chart) {
      const box = make("div", "chart");
      node.replaceChildren(box);
      chart = { node: box, rows: [] };
      charts.set(id, chart);
    }
    chart.rows = content.rows;
    const title = node.parentNode.querySelector("h2").textContent;
    chart.label = title + ". " + (content.summary || words.none);
    describe(chart);
    const empty = !content.rows.some((row) => row.v !== null);
    node.classList.toggle("empty", empty);
    const none = node.querySelector(".nothing");
    if (empty && !none) node.prepend(make("p", "nothing", words.none));
    if (!empty && none) none.remove();
    update(id);
  };
  const update = (id) => {
    const chart = charts.get(id);
    if (!chart.result) return embed(id);
    const view = chart.result.view;
    view.data("rows", structuredClone(chart.rows));
    if (data.specs[id].layer) view.data("marks", structuredClone(marks));
    return view.runAsync();
  };
  // The marks of all charts as a list, for whoever has no pointer to put on them.
  const listMarks = () => {
    const list = document.getElementById("marks");
    if (!list) return; // a board without trends
    list.replaceChildren(...marks.map((one) => {
      const item = make("li");
      item.append(make("time", "", one.at), " ", make("b", tone(one), one.kind), " ", one.text);
      return item;
    }));
    list.parentNode.hidden = !marks.length;
  };
  const loadCharts = () => {
    if (!Object.keys(data.specs).length) return;
    const script = make("script");
    script.type = "module"; // its thousands of names are not for this page
    script.src = "/static/charts.js";
    script.onerror = () => setTimeout(loadCharts, 10000);
    script.onload = () => { for (const id of charts.keys()) embed(id); };
    document.head.append(script);
  };

  // ── what the server says ──────────────────────────────────────────────
  const panel = (said) => {
    if (said.id === 0) {
      marks = said.content.marks;
      listMarks();
      for (const id of charts.keys()) update(id);
      return;
    }
    const node = panels.get(String(said.id));
    if (!node) return; // the board has another panel since this page was opened
    const kind = node.dataset.kind;
    const content = node.querySelector(".content");
    if (draw[kind]) draw[kind](content, said.content);
    else drawChart(String(said.id), content, said.content);
  };
  // Names of a page that was made without; what is there stays as the reader has it.
  const names = (said) => {
    for (const variable of document.querySelectorAll("details.variable")) {
      const options = variable.querySelector(".options");
      const [all, ...single] = options.querySelectorAll("input");
      const there = new Set(single.map((box) => box.value));
      for (const name of said[all.name.slice("var-".length)] ?? []) {
        if (there.has(name)) continue;
        const [label, box] = [make("label"), make("input")];
        Object.assign(box, { type: "checkbox", name: all.name, value: name });
        label.append(box, " " + name);
        options.append(label);
      }
      variable.querySelector("input[type=search]").dispatchEvent(new Event("input"));
    }
  };
  const tick = (said) => {
    clock.textContent = (still ? day(said.at) + " " : "") + time(said.at);
    clock.dateTime = new Date(said.at * 1000).toISOString();
    clock.title = words.updated;
    const sinces = Object.values(said.failed).map((one) => one.since);
    failedSince = sinces.length ? Math.min(...sinces) : null;
    away = [...panels].every(([id, node]) => node.dataset.kind === "text" || said.failed[id]?.of_store);
    for (const [id, node] of panels) {
      const failed = said.failed[id];
      node.classList.toggle("stale", Boolean(failed));
      const since = node.querySelector(".since");
      since.hidden = !failed;
      if (!failed) continue;
      since.textContent = filled(words.stale, time(failed.since));
      since.title = failed.why;
      const waiting = node.querySelector(".waiting");
      if (waiting) waiting.replaceWith(make("p", "nothing", words.none));
    }
    tell();
  };
  // What is wrong, in a word at the clock and in a sentence below it.
  const wrong = () => {
    if (lostSince !== null) return [words.connecting, filled(words.lost, time(lostSince))];
    if (failedSince === null) return null;
    const said = away ? [words.away, words.failed] : [words.partly, words.failed_partly];
    return said.map((text) => filled(text, time(failedSince)));
  };
  const tell = () => {
    const [word, text] = wrong() ?? [data.live && !still ? words.live : words.once, ""];
    if (trouble.textContent !== text) trouble.textContent = text;
    trouble.hidden = !text;
    live.className = "live " + (text ? "off" : "on");
    if (live.textContent !== word) live.textContent = word;
  };
  let source = null;
  let again = null; // the timer that connects anew
  let heardAt = Date.now(); // when the server said anything, if it was only a beat
  let waitsSince = heardAt; // the same, or when it was last connected to
  const lost = () => {
    if (lostSince === null) lostSince = heardAt / 1000;
    document.body.classList.add("lost");
    tell();
  };
  const connect = () => {
    clearTimeout(again);
    if (source) source.close();
    waitsSince = Date.now();
    const opened = source = new EventSource(data.stream);
    const on = (name, take) => opened.addEventListener(name, (event) => {
      heardAt = waitsSince = Date.now();
      take(JSON.parse(event.data));
    });
    on("beat", () => {});
    on("panel", panel);
    on("names", names);
    on("tick", (said) => {
      lostSince = null;
      document.body.classList.remove("lost");
      tick(said);
    });
    opened.onerror = () => {
      lost();
      if (opened.readyState === EventSource.CLOSED) again = setTimeout(connect, 3000); // an answer that was no stream
    };
  };
  // A server or a line that stands still ends no stream: it is silent, also for a page that was asleep meanwhile.
  // What waits for a page that slept, or was busy, is taken between two looks.
  let wasSilent = false;
  const lookOut = () => {
    const silent = Date.now() - waitsSince > data.silent_s * 1000;
    if (silent && wasSilent) {
      lost();
      connect();
    }
    wasSilent = silent;
  };

  // ── what the reader does ──────────────────────────────────────────────
  const remember = (theme) => {
    const kept = "; path=/; max-age=31536000; samesite=lax" + (location.protocol === "https:" ? "; secure" : "");
    document.cookie = "hotline-theme=" + theme + kept;
    const here = new URL(location); // from now on the button says it, not the address
    if (!here.searchParams.has("theme")) return;
    here.searchParams.delete("theme");
    history.replaceState(null, "", here);
  };
  const isDark = () => getComputedStyle(root).colorScheme === "dark";
  document.getElementById("theme").addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    remember(root.dataset.theme);
    for (const id of charts.keys()) embed(id);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    if (matchMedia("print").matches) return;
    for (const id of charts.keys()) embed(id);
  });
  matchMedia("print").addEventListener("change", (print) => (print.matches ? paper() : ink(inks())));
  addEventListener("beforeprint", paper);
  addEventListener("afterprint", () => ink(inks()));
  for (const button of document.querySelectorAll("button.about")) {
    const text = document.getElementById(button.getAttribute("aria-controls"));
    button.addEventListener("click", () => {
      text.hidden = !text.hidden;
      button.setAttribute("aria-expanded", String(!text.hidden));
    });
  }
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const button of document.querySelectorAll("button.about[aria-expanded=true]")) button.click();
    for (const open of document.querySelectorAll("details.variable[open]")) {
      if (open.contains(document.activeElement)) open.querySelector("summary").focus(); // what is closed has no focus
      open.open = false;
    }
  });
  document.addEventListener("click", (event) => {
    for (const open of document.querySelectorAll("details.variable[open]")) if (!open.contains(event.target)) open.open = false;
  });
  for (const variable of document.querySelectorAll("details.variable")) {
    const options = variable.querySelector(".options");
    const all = options.querySelector("input");
    const single = () => [...options.querySelectorAll("input")].slice(1);
    variable.querySelector("input[type=search]").addEventListener("input", (event) => {
      const wanted = event.target.value.toLowerCase();
      for (const box of single()) box.parentNode.hidden = !box.value.toLowerCase().includes(wanted);
    });
    options.addEventListener("change", (event) => {
      if (event.target !== all) all.checked = !single().some((one) => one.checked);
      else if (all.checked) for (const box of single()) box.checked = false;
    });
  }
  const range = document.getElementById("range");
  const ends = document.getElementById("ends");
  const showEnds = () => { ends.hidden = range.value !== ""; };
  range.addEventListener("change", () => {
    showEnds();
    const [from, to] = range.value.split("|");
    if (!to) return;
    ends.querySelector("[name=from]").value = from;
    ends.querySelector("[name=to]").value = to;
  });
  showEnds();

  // ── begin ─────────────────────────────────────────────────────────────
  const first = read("first");
  for (const said of first.panels) panel(said);
  if (first.tick.at) tick(first.tick);
  loadCharts();
  if (!still) {
    connect();
    setInterval(lookOut, data.silent_s * 1000 / 8);
  }
})();
