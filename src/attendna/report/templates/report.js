// Draws the charts of the page. Everything it needs is in the page: nothing is fetched.
"use strict";

// plotly.js lies in the page compressed, which makes a report less than half as large.
async function loadPlotly() {
  const packed = atob(document.getElementById("plotly").textContent);
  const bytes = Uint8Array.from(packed, (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const script = document.createElement("script");
  script.textContent = await new Response(stream).text();
  document.head.append(script);
}

async function drawCharts() {
  const charts = [...document.querySelectorAll(".chart")];
  if (!charts.length) return;
  try {
    await loadPlotly();
  } catch (error) {
    for (const chart of charts) chart.textContent = "This browser is too old to draw the chart.";
    return;
  }
  for (const chart of charts) {
    const { data, layout, config } = figureOf(chart);
    await Plotly.newPlot(chart, data, layout, config);
  }
}

function figureOf(chart) {
  return JSON.parse(chart.nextElementSibling.textContent);
}

// A saved picture is drawn anew, in dark ink on white: the colors of the page are those of its style sheet.
async function savePicture(chart, format, filename) {
  const { data, layout } = figureOf(chart);
  const font = { ...layout.font, color: "#1b2026" };
  const { width, height } = chart.getBoundingClientRect();
  const figure = { data, layout: { ...layout, font, paper_bgcolor: "#ffffff" } };
  await Plotly.downloadImage(figure, { format, width, height, scale: format === "png" ? 3 : 1, filename });
}

function saveFile(image) {
  const link = document.createElement("a");
  link.href = image.src;
  link.download = `${image.dataset.title}.svg`;
  link.click();
}

function offerPictures() {
  for (const button of document.querySelectorAll("button[data-picture]")) {
    const figure = button.closest("figure");
    button.addEventListener("click", () => {
      if (!figure) return saveFile(button.parentElement.previousElementSibling.querySelector("img"));
      const name = figure.querySelector("a[download]").download.replace(/\.csv$/, "");
      return savePicture(figure.querySelector(".chart"), button.dataset.picture, name);
    });
  }
}

// On paper a chart is scaled as a picture; drawing it anew would come too late for the printer.
function scaleForPaper() {
  for (const box of document.querySelectorAll(".chart .svg-container")) {
    const { width, height } = box.getBoundingClientRect();
    box.style.setProperty("--ratio", `${width} / ${height}`);
    for (const svg of box.querySelectorAll("svg.main-svg")) svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  }
}

function scaleForScreen() {
  for (const svg of document.querySelectorAll(".chart svg.main-svg")) svg.removeAttribute("viewBox");
}

function followReader() {
  const links = new Map(
    [...document.querySelectorAll("nav.contents a")].map((link) => [link.hash.slice(1), link]),
  );
  const seen = new Set();
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        if (isIntersecting) seen.add(target.id);
        else seen.delete(target.id);
      }
      const first = [...links.keys()].find((id) => seen.has(id));
      for (const [id, link] of links) link.classList.toggle("here", id === first);
    },
    { rootMargin: "-10% 0px -60% 0px" },
  );
  for (const id of links.keys()) observer.observe(document.getElementById(id));
}

// A long list of contents is folded away where it would stand above the text.
if (matchMedia("(max-width: 70rem)").matches) document.querySelector("nav.contents details").open = false;
window.addEventListener("beforeprint", scaleForPaper);
window.addEventListener("afterprint", scaleForScreen);
followReader();
offerPictures();
drawCharts().then(() => { document.documentElement.dataset.drawn = "yes"; });
