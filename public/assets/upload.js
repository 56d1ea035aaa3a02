// Sends the file of the form in pieces, because one request takes neither many bytes nor much time.

// A block of its own, because scripts of a page share their names.
{
  const PIECE = 256 * 1024;
  const TRIES = 4;
  const PAUSE_MS = 1_000;

  const form = document.getElementById("upload");
  const state = document.getElementById("upload-state");
  const button = form.querySelector("button");

  /** Returns the answer as JSON. Retries while the network or the server fails. */
  async function send(path, init, tries = TRIES) {
    const response = await fetch(`${form.action}${path}`, {
      ...init,
      headers: {
        "content-type": typeof init.body === "string" ? "application/json" : "application/octet-stream",
      },
    }).catch(() => undefined);
    if (response?.ok) return response.json();
    const isPassing = response === undefined || response.status >= 500 || response.status === 429;
    if (isPassing && tries > 1) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * (TRIES - tries + 1)));
      return send(path, init, tries - 1);
    }
    const answer = await response?.json().catch(() => undefined);
    // A refusal before the page's own code is a JSON-RPC error.
    const said = answer?.error?.message ?? answer?.error;
    throw new Error(said ?? "The server does not answer. Send the file again.");
  }

  async function upload() {
    const { file, from, currency, choices } = form.elements;
    const [chosen] = file.files;
    const { max } = file.dataset;
    if (chosen.size > max * 1024 * 1024) throw new Error(`The file has more than ${max} MiB.`);
    const isTicked = (name) => [...choices].find(({ value }) => value === name).checked;
    const made = {
      name: chosen.name,
      ...(from.value !== "" && { from: from.value }),
      ...(currency.value !== "" && { currency: currency.value }),
      remove_missing: isTicked("remove_missing"),
      quarantine: isTicked("quarantine"),
    };
    const { id, page } = await send("", { method: "POST", body: JSON.stringify(made) });
    let pieces = 0;
    for (let start = 0; start < chosen.size; start += PIECE, pieces++) {
      state.textContent = `Sending: ${Math.round((100 * start) / chosen.size)}%`;
      const body = await chosen.slice(start, start + PIECE).arrayBuffer();
      await send(`/${id}/${pieces}`, { method: "POST", body });
    }
    await send(`/${id}/${pieces}/end`, { method: "POST", body: "{}" });
    location.assign(page);
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    button.disabled = true;
    upload().catch((error) => {
      state.textContent = error.message;
      button.disabled = false;
    });
  });
}
