// How far a board's page has come: what the server said instead, whether all of it is drawn, what had no answer.
(() => {
  const [opened] = performance.getEntriesByType("navigation");
  if (document.readyState !== "complete") return { drawn: false };
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  if (!document.getElementById("first")) {
    const said = document.querySelector("main p");
    return { drawn: false, refused: opened.responseStatus, said: said ? said.textContent : document.title };
  }
  const first = read("first");
  const specs = read("data").specs;
  const charts = first.panels.filter((panel) => panel.id in specs).map((panel) => panel.id);
  const inked = (canvas) =>
    canvas && canvas.width && canvas.height &&
    canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.some((part) => part);
  const title = (id) => (id === "0" ? "marks" : document.querySelector("#t" + id).textContent);
  const failed = Object.entries(first.tick.failed || {}).map(([id, one]) => ({ panel: title(id), why: one.why }));
  const waiting = [...document.querySelectorAll(".panel:has(.waiting) h2")];
  for (const one of waiting) failed.push({ panel: one.textContent, why: "it is still waiting" });
  return {
    drawn: Boolean(first.tick.at) && charts.every((id) => inked(document.querySelector("#p" + id + " canvas"))),
    chartless: charts.length > 0 && !window.vegaEmbed,
    failed,
    height: document.documentElement.scrollHeight,
  };
})();
