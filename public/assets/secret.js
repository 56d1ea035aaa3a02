// Copies a key that is shown once. The key leaves the page with its reader, so that no way back shows it again.
const secret = document.getElementById("secret");
const copy = document.getElementById("copy-secret");

if (navigator.clipboard !== undefined) {
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(secret.textContent);
    copy.textContent = "Copied";
    setTimeout(() => (copy.textContent = "Copy"), 2_000);
  });
}
addEventListener("pagehide", () => document.getElementById("new-key")?.remove());
