// Tiles that report which one was clicked.
export default function ({ parentElement, data, setStateValue }) {
  const tiles = parentElement.querySelector(".md-tiles");
  if (tiles.dataset.shown !== data.html) {
    tiles.innerHTML = data.html; // made and escaped by the server
    tiles.dataset.shown = data.html;
  }
  const buttons = [...tiles.querySelectorAll("button")];
  const press = (index) => buttons.forEach((button, n) => button.setAttribute("aria-pressed", n === index));
  buttons.forEach((button, index) => {
    button.onclick = () => {
      press(index); // at once, before the server answers
      setStateValue("index", index);
    };
  });
  press(data.index);
}
