// A Plotly chart that is changed in place. Streamlit's own is taken down and built anew with every change of
// its content, and with it go the reader's zoom and whatever they are pointing at.

let loading;

// Streamlit's bundle sets window.Plotly when it is loaded, which it is as soon as a page shows a chart of its own.
// Without a bundle the server sends plotly.js itself, which sets it too.
function plotly(bundle) {
  if (window.Plotly) return Promise.resolve(window.Plotly);
  const streamlit = document.querySelector('script[type="module"][src*="static/js/"]');
  loading ??= (bundle ? import(new URL(bundle, streamlit.src)) : library()).then(() => window.Plotly);
  return loading.catch((error) => {
    loading = undefined; // the next drawing tries again
    throw error;
  });
}

async function library() {
  for (let waits = 0; !window.Plotly; waits++) {
    if (waits > 600) throw new Error("plotly.js did not arrive within a minute.");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function themed(parent, spec, textColour) {
  const style = getComputedStyle(parent);
  const colour = (name) => style.getPropertyValue(`--st-${name}`).trim();
  const figure = JSON.parse(spec.replaceAll(textColour, colour("text-color")));
  const { layout } = figure;
  delete layout.template;
  layout.autosize = true;
  layout.font = { ...layout.font, family: colour("font") };
  layout.hoverlabel = {
    ...layout.hoverlabel,
    bgcolor: colour("background-color"),
    bordercolor: colour("border-color"),
    font: { color: colour("text-color"), size: 11 },
  };
  for (const label of layout.annotations ?? []) label.bgcolor = `${colour("background-color")}B3`; // over lines
  layout.modebar = { bgcolor: "rgba(0,0,0,0)", color: "#808080", activecolor: colour("primary-color") };
  return figure;
}

// A finger scrolls the page over a chart, and zooms by buttons; a mouse zooms by dragging.
const touch = () => window.matchMedia("(pointer: coarse)").matches;

function configured() {
  return {
    displaylogo: false,
    displayModeBar: touch() ? true : "hover",
    modeBarButtons: [["zoomIn2d", "zoomOut2d", "resetScale2d"]],
  };
}

// Pointing at a chart finds the nearest point of every line. Where a line has ended, that would be one of an
// earlier epoch: so points count only if they are nearer than the middle between two epochs.
function readOneEpoch(element, event) {
  const { xaxis, meta } = element._fullLayout ?? {};
  if (!meta?.whole_numbers) return;
  const left = element.getBoundingClientRect().left + xaxis._offset;
  const number = Math.max(1, Math.round(xaxis.p2d(event.clientX - left)));
  const gap = xaxis.d2p(number + 1) - xaxis.d2p(number);
  // In the layout too, from which Plotly makes a new one whenever it draws again.
  element.layout.hoverdistance = element._fullLayout.hoverdistance = Math.max(1, Math.floor(gap / 2) - POINT);
}

const NARROW = 440; // pixels; a chart with labels at its lines' ends is wider

// Pointing at the label at a line's end fades all other curves.
function bringForward(element) {
  const { annotations = [] } = element.layout;
  for (const label of element.querySelectorAll(".annotation")) {
    const { name } = annotations[label.dataset.index] ?? {};
    const fade = (others) => {
      for (const trace of element.querySelectorAll(".scatterlayer .trace, .fills > g")) {
        const group = trace.__data__?.[0]?.trace?.legendgroup;
        if (group) trace.style.opacity = group === name ? "" : others;
      }
    };
    label.onmouseenter = () => fade("0.12");
    label.onmouseleave = () => fade("");
  }
}

const POINT = 3; // pixels by which Plotly takes a point for nearer than it is

async function draw(chart) {
  const { parent, element, data } = chart;
  const Plotly = await plotly(data.bundle);
  if (!data.spec) return; // only loaded, so that the first chart is drawn at once
  while (element._dragging) await new Promise((resolve) => setTimeout(resolve, 50)); // a zoom is being drawn
  if (data !== chart.data || !element.isConnected) return; // something newer is on its way
  const figure = themed(parent, data.spec, data.text_colour);
  if (!element._fullLayout) element.textContent = ""; // what an earlier failure may have left
  if (touch()) figure.layout.dragmode = false;
  if (element.offsetWidth < NARROW) figure.layout.annotations = []; // the key below has the names
  if (figure.layout.meta?.whole_numbers) figure.layout.hoverdistance = element.layout?.hoverdistance ?? POINT;
  await Plotly.react(element, figure.data, figure.layout, configured());
  bringForward(element);
  if (!chart.observer) {
    chart.observer = new ResizeObserver(() => element.offsetWidth && Plotly.Plots.resize(element));
    chart.observer.observe(element);
  }
}

function chartIn(parent, element) {
  element.addEventListener("mousemove", (event) => readOneEpoch(element, event), true);
  return { parent, element, queue: Promise.resolve() };
}

export default function ({ parentElement, data }) {
  const element = parentElement.querySelector(".md-chart");
  element.setAttribute("aria-label", data.alt);
  const chart = (element.mdChart ??= chartIn(parentElement, element));
  chart.data = data;
  chart.queue = chart.queue
    .then(() => draw(chart))
    .catch((error) => {
      console.error(error);
      element.textContent = "The chart cannot be drawn. Reload the page.";
    });
  return () => {
    chart.observer?.disconnect();
    window.Plotly?.purge(element);
  };
}
