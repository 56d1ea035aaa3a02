// Adds a button that copies to each line of the install page. Without it, a click on a line selects the whole of it.
for (const line of document.querySelectorAll(".line")) {
  const code = line.querySelector("code");
  const heading = line.parentElement.querySelector("h2, h3");
  if (navigator.clipboard === undefined) break;
  const button = document.createElement("button");
  const show = (text) => {
    button.textContent = text;
    button.setAttribute("aria-label", `${text}: ${heading.textContent}`);
  };
  button.type = "button";
  button.className = "copy";
  show("Copy");
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(code.textContent);
    show("Copied");
    setTimeout(show, 2_000, "Copy");
  });
  line.classList.add("copies");
  line.append(button);
}
