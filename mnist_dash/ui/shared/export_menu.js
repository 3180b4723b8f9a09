// Renders a chart of the page as an image in the browser, so the server needs no renderer.

const FONT = "Arial, Helvetica, sans-serif"; // a picture cannot bring the page's own along

function background() {
  return getComputedStyle(document.querySelector(".stApp")).backgroundColor;
}

async function picture(chart, format) {
  const shown = document.querySelector(`.st-key-${CSS.escape(chart)} .js-plotly-plot`);
  if (!shown || !window.Plotly) throw new Error(`There is no chart ${chart} on this page.`);
  const colour = background();
  const layout = { ...shown.layout, ...shown.layout.meta?.taken, paper_bgcolor: colour, plot_bgcolor: colour };
  layout.font = { ...layout.font, family: FONT };
  const width = Math.max(900, shown.offsetWidth);
  const height = shown._fullLayout.height + (layout.showlegend ? legendHeight(shown.data, width) : 0);
  return window.Plotly.toImage({ data: shown.data, layout }, { width, height, format, scale: 2 });
}

// A legend that the page does not show needs room of its own, or the lines would lose it.
function legendHeight(data, width) {
  const names = data.filter((trace) => trace.showlegend !== false).map((trace) => trace.name ?? "");
  const wide = names.reduce((sum, name) => sum + 60 + 7 * name.length, 0);
  return 22 * Math.ceil(wide / width);
}

// The link is clicked inside the popover: a click outside would close it.
function save(parent, address, name) {
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  parent.append(link);
  link.click();
  link.remove();
}

export default function ({ parentElement, data }) {
  for (const button of parentElement.querySelectorAll("button")) {
    button.onclick = async () => {
      try {
        const { format } = button.dataset;
        save(button.parentElement, await picture(data.chart, format), `${data.name}.${format}`);
        button.title = "";
      } catch (error) {
        console.error(error);
        button.title = "The image could not be created. Reload the page.";
      }
    };
  }
}
