// Adds a button that copies to each line of the install page. Without it, a click on a line selects the whole of it.
for (const line of document.querySelectorAll(".line")) {
  const code = line.querySelector("code");
  if (code === null || navigator.clipboard === undefined) continue;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  const name = line.getAttribute("aria-label") ?? "the address";
  button.setAttribute("aria-label", `Copy the line for ${name}`);
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(code.textContent);
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 2_000);
  });
  line.classList.add("copies");
  line.append(button);
}
