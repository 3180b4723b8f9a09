// HTML whose buttons report which one was clicked.
export default function ({ parentElement, data, setStateValue }) {
  const shown = parentElement.querySelector(".md-buttons");
  if (shown.dataset.html !== data.html) {
    shown.innerHTML = data.html; // made and escaped by the server
    shown.dataset.html = data.html;
  }
  const buttons = [...shown.querySelectorAll("button")];
  const press = (index) => buttons.forEach((button, n) => button.setAttribute("aria-pressed", n === index));
  buttons.forEach((button, index) => {
    button.onclick = () => {
      press(index); // at once, before the server answers
      setStateValue("index", index);
    };
  });
  press(data.index);
}
